-- What somebody wants sent again that was done with goes outside of its object's order.
ALTER TABLE deliveries ADD COLUMN loose BOOLEAN NOT NULL DEFAULT FALSE;
