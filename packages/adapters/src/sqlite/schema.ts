/**
 * The main file: events, and what ticks have committed. Step n of the list brings a file from version n to n
 * + 1; a step that was released is never edited.
 *
 * `head` has one row: it is bumped in every transaction and compared with the head file at the start.
 */
const first = `
CREATE TABLE head(
  id INTEGER PRIMARY KEY CHECK (id = 1),
  log_id TEXT NOT NULL,
  commits INTEGER NOT NULL
) STRICT;

CREATE TABLE events(
  position INTEGER PRIMARY KEY,
  stream TEXT NOT NULL,
  revision INTEGER NOT NULL,
  id TEXT NOT NULL UNIQUE,
  type TEXT NOT NULL,
  version INTEGER NOT NULL,
  namespace TEXT NOT NULL,
  at INTEGER NOT NULL,
  data TEXT NOT NULL,
  metadata TEXT NOT NULL,
  chain TEXT NOT NULL,
  UNIQUE (stream, revision)
) STRICT;

CREATE TABLE partitions(
  partition INTEGER PRIMARY KEY,
  term INTEGER NOT NULL
) STRICT;

CREATE TABLE checkpoints(
  partition INTEGER PRIMARY KEY REFERENCES partitions(partition),
  seq INTEGER NOT NULL,
  body TEXT NOT NULL
) STRICT;

-- state: 0 ready, 1 delayed (queued, not before an instant), 2 running, 3 succeeded, 4 failed, 5 expired,
-- 6 cancelled. Small columns here; the command, which never changes, is in a table of its own, so that leasing
-- and finishing a run with a large payload does not write the payload again.
CREATE TABLE runs(
  run INTEGER PRIMARY KEY,
  run_id TEXT NOT NULL UNIQUE,
  namespace TEXT NOT NULL,
  task_id TEXT NOT NULL,
  queue TEXT NOT NULL,
  kind TEXT NOT NULL,
  overlap TEXT NOT NULL,
  priority INTEGER NOT NULL,
  scheduled_at INTEGER NOT NULL,
  expires_at INTEGER,
  max_attempts INTEGER NOT NULL,
  state INTEGER NOT NULL,
  attempt INTEGER NOT NULL,
  cancel_requested INTEGER NOT NULL,
  not_before INTEGER,
  lease_expires_at INTEGER,
  lease_token TEXT,
  worker TEXT,
  started_at INTEGER,
  finished_at INTEGER,
  error TEXT
) STRICT;
CREATE TABLE run_commands(run INTEGER PRIMARY KEY, body TEXT NOT NULL) STRICT;

CREATE INDEX runs_ready ON runs(namespace, queue, priority DESC, scheduled_at, run_id) WHERE state = 0;
CREATE INDEX runs_delayed ON runs(namespace, queue, not_before) WHERE state = 1;
CREATE INDEX runs_running ON runs(namespace, queue, lease_expires_at) WHERE state = 2;
CREATE INDEX runs_unfinished ON runs(task_id, state) WHERE state < 3;
CREATE INDEX runs_finished ON runs(finished_at) WHERE state > 2;
CREATE INDEX runs_by_state ON runs(namespace, state, scheduled_at, run_id) WHERE state <> 3;
CREATE INDEX runs_by_time ON runs(namespace, scheduled_at, run_id);
CREATE INDEX runs_by_task ON runs(task_id, scheduled_at, run_id);

CREATE TABLE run_counts(
  namespace TEXT NOT NULL,
  queue TEXT NOT NULL,
  kind TEXT NOT NULL,
  status TEXT NOT NULL,
  count INTEGER NOT NULL,
  PRIMARY KEY (namespace, queue, kind, status)
) STRICT, WITHOUT ROWID;

CREATE TABLE totals(
  task_id TEXT PRIMARY KEY,
  count INTEGER NOT NULL,
  last_run_at INTEGER NOT NULL,
  last_scheduled_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE skips(
  skip INTEGER PRIMARY KEY,
  partition INTEGER NOT NULL,
  seq INTEGER NOT NULL,
  task_id TEXT NOT NULL,
  reason TEXT NOT NULL,
  first_at INTEGER NOT NULL,
  last_at INTEGER NOT NULL,
  count INTEGER NOT NULL,
  revision INTEGER NOT NULL,
  decided_at INTEGER NOT NULL
) STRICT;
CREATE INDEX skips_by_task ON skips(task_id, last_at);
`

/**
 * How far webhooks have been served, and what became of runs, kept while a webhook is told of it. A run that is ready
 * and one that waits for its next attempt are both queued: between them nothing has happened.
 */
const second = `
CREATE TABLE webhook_progress(webhook_id TEXT PRIMARY KEY, body TEXT NOT NULL) STRICT, WITHOUT ROWID;

CREATE TABLE run_news_wanted(id INTEGER PRIMARY KEY CHECK (id = 1)) STRICT;
CREATE TABLE run_news(
  place INTEGER PRIMARY KEY AUTOINCREMENT,
  run INTEGER NOT NULL,
  state INTEGER NOT NULL,
  attempt INTEGER NOT NULL
) STRICT;

CREATE TRIGGER run_news_of_new AFTER INSERT ON runs WHEN EXISTS (SELECT 1 FROM run_news_wanted)
BEGIN
  INSERT INTO run_news(run, state, attempt) VALUES (new.run, new.state, new.attempt);
END;
CREATE TRIGGER run_news_of_change AFTER UPDATE OF state, attempt ON runs
WHEN (old.state <> new.state OR old.attempt <> new.attempt)
  AND NOT (old.state < 2 AND new.state < 2)
  AND EXISTS (SELECT 1 FROM run_news_wanted)
BEGIN
  INSERT INTO run_news(run, state, attempt) VALUES (new.run, new.state, new.attempt);
END;
`

export const mainMigrations: readonly string[] = [first, second]
