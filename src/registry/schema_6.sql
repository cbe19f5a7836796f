-- Sixth step: when a host was heard of each family, as it may go on with one of them alone.

ALTER TABLE host ADD COLUMN heard_ipv4 INTEGER;
ALTER TABLE host ADD COLUMN heard_ipv6 INTEGER;
-- The longest pause of late between two visits with an address of the family, in seconds.
ALTER TABLE host ADD COLUMN usual_ipv4 INTEGER;
ALTER TABLE host ADD COLUMN usual_ipv6 INTEGER;
