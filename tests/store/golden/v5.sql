BEGIN TRANSACTION;
CREATE TABLE chunks (
            id          INTEGER PRIMARY KEY AUTOINCREMENT,
            run         TEXT NOT NULL REFERENCES runs (id) ON DELETE CASCADE,
            track       TEXT NOT NULL,
            columns     TEXT NOT NULL,
            rows        INTEGER NOT NULL,
            first_round INTEGER NOT NULL,
            last_round  INTEGER NOT NULL,
            rounds      BLOB NOT NULL,
            data        BLOB NOT NULL
        );
INSERT INTO "chunks" VALUES(1,'golden','turns','["D.loss", "G.loss"]',5,1,5,X'01000000000000000100000000000000',X'0000003F0000803F0000004000004040000080400000C07F000000800000807FCAF249710000A040');
CREATE TABLE comparisons (
            seq        INTEGER PRIMARY KEY AUTOINCREMENT,
            id         TEXT NOT NULL UNIQUE,
            name       TEXT NOT NULL,
            spec       TEXT NOT NULL,
            collected  INTEGER NOT NULL,
            created_at REAL NOT NULL,
            deleted_at REAL
        );
INSERT INTO "comparisons" VALUES(1,'both','A comparison','{}',1,3.0,NULL);
CREATE TABLE events (
            id    INTEGER PRIMARY KEY AUTOINCREMENT,
            run   TEXT NOT NULL REFERENCES runs (id) ON DELETE CASCADE,
            round INTEGER NOT NULL,
            at    REAL NOT NULL,
            kind  TEXT NOT NULL,
            data  TEXT NOT NULL
        );
INSERT INTO "events" VALUES(1,'golden',0,2.0,'started','{}');
CREATE TABLE frames (
            run   TEXT NOT NULL REFERENCES runs (id) ON DELETE CASCADE,
            round INTEGER NOT NULL,
            part  TEXT NOT NULL,
            data  TEXT NOT NULL,
            UNIQUE (run, round, part)
        );
INSERT INTO "frames" VALUES('golden',3,'histogram','{"counts": [1, 2], "n": 3}');
CREATE TABLE leases (
            run    TEXT PRIMARY KEY REFERENCES runs (id) ON DELETE CASCADE,
            number INTEGER NOT NULL DEFAULT 0,
            takes  TEXT NOT NULL DEFAULT '{}'
        );
INSERT INTO "leases" VALUES('golden',3,'{"cpus": 0.5}');
CREATE TABLE members (
            comparison TEXT NOT NULL REFERENCES comparisons (id) ON DELETE CASCADE,
            run        TEXT NOT NULL REFERENCES runs (id) ON DELETE CASCADE,
            variant    TEXT NOT NULL,
            seed       INTEGER NOT NULL,
            UNIQUE (comparison, run)
        );
INSERT INTO "members" VALUES('both','golden','as it is',7);
CREATE TABLE runs (
            seq         INTEGER PRIMARY KEY AUTOINCREMENT,
            id          TEXT NOT NULL UNIQUE,
            name        TEXT NOT NULL,
            config      TEXT NOT NULL,
            status      TEXT NOT NULL,
            created_at  REAL NOT NULL,
            started_at  REAL,
            ended_at    REAL,
            rounds      INTEGER NOT NULL DEFAULT 0,
            message     TEXT NOT NULL DEFAULT '',
            traceback   TEXT NOT NULL DEFAULT '',
            tags        TEXT NOT NULL DEFAULT '[]',
            note        TEXT NOT NULL DEFAULT '',
            parent      TEXT,
            forked_at   INTEGER,
            summary     TEXT NOT NULL DEFAULT '{}',
            environment TEXT NOT NULL DEFAULT '{}',
            owner       TEXT NOT NULL DEFAULT '{}',
            deleted_at  REAL
        , archived_at REAL);
INSERT INTO "runs" VALUES(1,'golden','An old run','{"seed": 7}','stopped',1.0,NULL,NULL,5,'','','["kept"]','noted',NULL,NULL,'{"seconds": 1.5}','{}','{}',NULL,NULL);
CREATE TABLE studies (
            seq        INTEGER PRIMARY KEY AUTOINCREMENT,
            id         TEXT NOT NULL UNIQUE,
            name       TEXT NOT NULL,
            protocol   TEXT NOT NULL,
            settings   TEXT NOT NULL,
            run        TEXT NOT NULL DEFAULT '',
            status     TEXT NOT NULL,
            message    TEXT NOT NULL DEFAULT '',
            cells      INTEGER NOT NULL,
            owner      TEXT NOT NULL DEFAULT '{}',
            created_at REAL NOT NULL,
            deleted_at REAL
        );
INSERT INTO "studies" VALUES(1,'asked','A study','price','{"protocol": "price", "seeds": [0]}','golden','stopped','',7,'{}',4.0,NULL);
CREATE TABLE study_rows (
            study   TEXT NOT NULL REFERENCES studies (id) ON DELETE CASCADE,
            cell    TEXT NOT NULL,
            data    TEXT NOT NULL,
            seconds REAL NOT NULL,
            UNIQUE (study, cell)
        );
INSERT INTO "study_rows" VALUES('asked','real-5-0','{"accuracy": 0.5}',1.25);
CREATE INDEX chunks_by_track ON chunks (run, track);
CREATE INDEX frames_by_part ON frames (run, part, round);
CREATE INDEX events_by_run ON events (run);
CREATE INDEX members_by_run ON members (run);
COMMIT;
PRAGMA user_version = 5;
