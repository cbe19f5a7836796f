-- Fifth step: a host's networks in its own row, which every visit reads anyway.

-- The networks from which alone it may be visited, where its client asked for that when it
-- registered; NULL: from everywhere.
ALTER TABLE host ADD COLUMN networks TEXT;
UPDATE host SET networks =
    (SELECT group_concat(network, ' ') FROM account_network WHERE account_network.host = host.id);
DROP TABLE account_network;
