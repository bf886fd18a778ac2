/**
 * `ledger.db` of a node in a cluster: what it has read of the topics, and how far. All of it can be read again as far
 * as the topics go back, so a file of another version is thrown away. Raised with every change of the tables.
 */
export const ledgerVersion = 1

/**
 * States and columns of `runs` are those of the main file (see `schema.ts`) as far as both have them. `place` and
 * `at_offset` tell where the run's record stands; `term` and `seq` name the tick that it was committed with; `heard_at`
 * is when the last word of it was appended.
 */
export const ledgerSchema = `
CREATE TABLE meta(id INTEGER PRIMARY KEY CHECK (id = 1), version INTEGER NOT NULL, source TEXT NOT NULL) STRICT;

CREATE TABLE places(
  place INTEGER PRIMARY KEY,
  topic TEXT NOT NULL,
  partition INTEGER NOT NULL,
  next INTEGER NOT NULL,
  UNIQUE (topic, partition)
) STRICT;

CREATE TABLE runs(
  run INTEGER PRIMARY KEY,
  run_id TEXT NOT NULL UNIQUE,
  namespace TEXT NOT NULL,
  task_id TEXT NOT NULL,
  queue TEXT NOT NULL,
  kind TEXT NOT NULL,
  overlap TEXT NOT NULL,
  scheduled_at INTEGER NOT NULL,
  emitted_at INTEGER NOT NULL,
  expires_at INTEGER,
  place INTEGER NOT NULL,
  at_offset INTEGER NOT NULL,
  term INTEGER NOT NULL,
  seq INTEGER NOT NULL,
  heard_at INTEGER NOT NULL,
  state INTEGER NOT NULL,
  attempt INTEGER NOT NULL,
  cancel_requested INTEGER NOT NULL,
  not_before INTEGER,
  worker TEXT,
  started_at INTEGER,
  finished_at INTEGER,
  error TEXT
) STRICT;
CREATE TABLE run_commands(run INTEGER PRIMARY KEY, body TEXT NOT NULL) STRICT;

-- Each index whose order is by chance costs a page for every run, so there is one by task, with what totals ask for.
CREATE INDEX runs_exclusive ON runs(task_id, state) WHERE state < 3 AND overlap <> 'allow';
CREATE INDEX runs_expiring ON runs(expires_at) WHERE state = 0 AND expires_at IS NOT NULL;
CREATE INDEX runs_by_state ON runs(namespace, state, scheduled_at, run_id) WHERE state <> 3;
CREATE INDEX runs_by_time ON runs(namespace, scheduled_at, run_id);
CREATE INDEX runs_by_task ON runs(task_id, scheduled_at, run_id, place, at_offset, term, seq, emitted_at);

CREATE TABLE run_counts(
  namespace TEXT NOT NULL,
  queue TEXT NOT NULL,
  kind TEXT NOT NULL,
  status TEXT NOT NULL,
  count INTEGER NOT NULL,
  PRIMARY KEY (namespace, queue, kind, status)
) STRICT, WITHOUT ROWID;

CREATE TABLE early_events(
  early INTEGER PRIMARY KEY,
  run_id TEXT NOT NULL,
  appended_at INTEGER NOT NULL,
  body TEXT NOT NULL
) STRICT;
CREATE INDEX early_events_by_run ON early_events(run_id);

-- counted: as in the topic's records. unwritten_since: since when the topic of totals is known not to have this.
CREATE TABLE totals(
  task_id TEXT PRIMARY KEY,
  namespace TEXT NOT NULL,
  count INTEGER NOT NULL,
  last_run_at INTEGER,
  last_scheduled_at INTEGER,
  reset_term INTEGER,
  reset_seq INTEGER,
  counted TEXT NOT NULL,
  unwritten_since INTEGER
) STRICT, WITHOUT ROWID;
CREATE INDEX totals_unwritten ON totals(unwritten_since) WHERE unwritten_since IS NOT NULL;

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
