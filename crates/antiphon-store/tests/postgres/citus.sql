-- Stands where Citus would: the functions that place tables, which place nothing and look at what they are given. What they
-- refuse is what Citus' documentation of them says.

CREATE TABLE pg_dist_partition (
    ordinal SERIAL,
    logicalrelid REGCLASS PRIMARY KEY,
    place TEXT NOT NULL
);

CREATE FUNCTION placeable(asked REGCLASS) RETURNS VOID LANGUAGE plpgsql AS $$
BEGIN
    IF current_setting('citus.multi_shard_modify_mode', true) IS DISTINCT FROM 'sequential' THEN
        RAISE EXCEPTION 'tables are placed in one transaction: citus.multi_shard_modify_mode has to be sequential';
    END IF;
    IF EXISTS (SELECT FROM pg_dist_partition WHERE logicalrelid = asked) THEN
        RAISE EXCEPTION '% is placed already', asked;
    END IF;
    IF (SELECT relkind FROM pg_class WHERE oid = asked) <> 'r' THEN
        RAISE EXCEPTION '% is not an ordinary table', asked;
    END IF;
    IF EXISTS (SELECT FROM pg_constraint WHERE contype = 'f' AND asked IN (conrelid, confrelid)) THEN
        RAISE EXCEPTION '% has a foreign key', asked;
    END IF;
    -- Sequences and defaults that are computed would be each node's own.
    IF EXISTS (SELECT FROM pg_attrdef WHERE adrelid = asked) THEN
        RAISE EXCEPTION '% has a default', asked;
    END IF;
    IF EXISTS (SELECT FROM pg_trigger WHERE tgrelid = asked AND NOT tgisinternal) THEN
        RAISE EXCEPTION '% has a trigger', asked;
    END IF;
END $$;

CREATE FUNCTION create_distributed_table(
    table_name REGCLASS,
    distribution_column TEXT,
    distribution_type TEXT DEFAULT 'hash',
    colocate_with TEXT DEFAULT 'default'
) RETURNS VOID LANGUAGE plpgsql AS $$
DECLARE
    key SMALLINT := (SELECT attnum FROM pg_attribute WHERE attrelid = table_name AND attname = distribution_column);
    beside REGCLASS := CASE WHEN colocate_with NOT IN ('none', 'default') THEN colocate_with::regclass END;
BEGIN
    PERFORM placeable(table_name);
    IF key IS NULL THEN
        RAISE EXCEPTION '% has no column %', table_name, distribution_column;
    END IF;
    IF EXISTS (
        SELECT FROM pg_index WHERE indrelid = table_name AND (indisunique OR indisexclusion) AND key <> ALL (indkey::smallint[])
    ) THEN
        RAISE EXCEPTION 'a unique index lacks the column % of %', distribution_column, table_name;
    END IF;
    IF beside IS NOT NULL THEN
        IF NOT EXISTS (SELECT FROM pg_dist_partition WHERE logicalrelid = beside AND place LIKE 'by %') THEN
            RAISE EXCEPTION '% is to be placed beside %, which is not distributed', table_name, beside;
        END IF;
        IF (SELECT count(DISTINCT atttypid) FROM pg_attribute
            WHERE attrelid IN (table_name, beside) AND attname = distribution_column) > 1 THEN
            RAISE EXCEPTION '% is not of the type that it has in %', distribution_column, beside;
        END IF;
    ELSIF colocate_with <> 'none' OR EXISTS (SELECT FROM pg_dist_partition WHERE place LIKE 'by %') THEN
        RAISE EXCEPTION '% is not placed beside the others', table_name;
    END IF;
    INSERT INTO pg_dist_partition (logicalrelid, place) VALUES (table_name, 'by ' || distribution_column);
END $$;

CREATE FUNCTION create_reference_table(table_name REGCLASS) RETURNS VOID LANGUAGE plpgsql AS $$
BEGIN
    PERFORM placeable(table_name);
    IF NOT EXISTS (SELECT FROM pg_index WHERE indrelid = table_name AND indisprimary) THEN
        RAISE EXCEPTION '% has no primary key, so its rows could not be told apart', table_name;
    END IF;
    INSERT INTO pg_dist_partition (logicalrelid, place) VALUES (table_name, 'everywhere');
END $$;

-- What is said of a table after it was placed would have to reach every shard of it. A column does that is added as one would
-- add it anywhere, alone and with a constant for what is there.
CREATE FUNCTION untouched() RETURNS event_trigger LANGUAGE plpgsql AS $$
DECLARE
    changed REGCLASS;
BEGIN
    FOR changed IN
        SELECT objid FROM pg_event_trigger_ddl_commands() WHERE classid = 'pg_class'::regclass
        INTERSECT SELECT logicalrelid FROM pg_dist_partition
    LOOP
        IF current_query() !~ ('ALTER TABLE ' || changed || ' ADD COLUMN \w+ \w+( NOT NULL DEFAULT (\d+|FALSE|''\w*''))?;') THEN
            RAISE EXCEPTION '% is altered after it was placed', changed;
        END IF;
    END LOOP;
END $$;
CREATE EVENT TRIGGER untouched ON ddl_command_end WHEN TAG IN ('ALTER TABLE') EXECUTE FUNCTION untouched();
