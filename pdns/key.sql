-- The key for updates, for the database of PowerDNS.
INSERT OR REPLACE INTO tsigkeys (name, algorithm, secret)
    VALUES ('bowline', 'hmac-sha256', 'c2VjcmV0c2VjcmV0');
