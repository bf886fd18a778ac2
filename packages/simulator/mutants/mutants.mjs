/**
 * Planted bugs: each is one that a real scheduler has had, or that a tired engineer could write, as a change of the
 * built code. The simulator has to catch every one of them within 200 seeds; a checker that catches no planted bug is
 * decoration. `file` is the end of a path, `find` occurs there exactly once.
 *
 * Most break a promise to users. Those with `costs: 'work'` only waste it, since the dispatch log's term keeps safety
 * whatever the leases say; the simulator has a rule of its own for them.
 */
const dispatchLog = 'adapters/dist/transactions/dispatch-log.js'
const claim = 'adapters/dist/transactions/claim.js'
const records = 'adapters/dist/transactions/records.js'
const owner = 'engine/dist/scheduling/partition-owner.js'
const scheduler = 'engine/dist/scheduling/scheduler.js'
const tenure = 'engine/dist/cluster/leased-tenure.js'
const handle = 'engine/dist/commands/handle.js'
const plan = 'domain/dist/dispatch/plan.js'

const edit = (file, find, replace) => ({ file, find, replace })
const takesOver = 'await taking.begin(this.topics.transactionalId(partition));'
const commits = 'const outcome = await within(clock, left(), transactor.commit());'
const tickRecordsOf = 'const records = tickRecords(dispatchTopics(options.prefix), this.partition, tick);'
/** Time goes by between the two, as it does in a program that has more to do there: a crash has to find the gap. */
const inTwo = (first, second) => [
  edit(
    claim,
    tickRecordsOf,
    `const whole = tickRecords(dispatchTopics(options.prefix), this.partition, tick); const records = whole.${first};`,
  ),
  edit(
    claim,
    commits,
    `const half = await within(clock, left(), transactor.commit());
     if (half !== 'committed') return half === tooLate ? 'unknown' : half;
     const rest = whole.${second};
     if (rest.length > 0) {
       if (records.length > 0) await clock.sleep(800);
       const again = await within(clock, left(), transactor.send(rest));
       if (again === tooLate) return 'unknown';
       if (again.outcome === 'fenced') return 'fenced';
     }
     const outcome = await within(clock, left(), transactor.commit());`,
  ),
]

export const mutants = [
  {
    name: 'no fence on takeover',
    why: 'each node has a transactional id of its own, so nobody fences anybody',
    edits: [
      edit(dispatchLog, takesOver, `${takesOver.slice(0, -2)} + this.parts.nodeId);`),
      edit(dispatchLog, 'highestTerm < term &&', 'true &&'),
    ],
  },
  {
    name: 'checkpoint read before the fence',
    why: 'what is committed between reading and fencing is decided again',
    edits: [
      edit(
        dispatchLog,
        takesOver,
        `this.reads ??= new Map(); this.reads.set(partition, this.tail.seen(partition)); ${takesOver}`,
      ),
      edit(
        dispatchLog,
        'const { transactor } = taking;',
        'const { transactor } = taking; const early = this.reads.get(partition);',
      ),
      edit(
        dispatchLog,
        '                    checkpoint,\n',
        '                    checkpoint: early ?? checkpoint,\n',
      ),
    ],
  },
  {
    name: 'producer reused after an unknown commit',
    why: 'the tick is sent again through the same producer, whether or not it was committed',
    edits: [
      edit(
        claim,
        "return outcome === tooLate ? 'unknown' : outcome;",
        `if (outcome !== tooLate) return outcome;
            if (this.isReused) return 'unknown';
            this.isReused = true;
            transactor.state = 'good'; transactor.added?.clear();
            try { return await this.write(transactor, tick) } catch { return 'unknown' }
            finally { this.isReused = false }`,
      ),
    ],
  },
  {
    name: 'runs committed before their checkpoint',
    why: 'two transactions: a crash in between decides the runs again (published before marked)',
    edits: inTwo('slice(0, -1)', 'slice(-1)'),
  },
  {
    name: 'checkpoint committed before its runs',
    why: 'two transactions: a crash in between loses the runs (marked before published)',
    edits: inTwo('slice(-1)', 'slice(0, -1)'),
  },
  {
    name: 'cursor of time alone',
    why: 'when a tick is cut at one instant, the tasks behind the cut are taken for decided',
    edits: [
      edit(
        'domain/dist/dispatch/occurrence.js',
        'const after = definition.taskId <= cursor.taskId ? cursor.at : cursor.at - 1;',
        'const after = cursor.at;',
      ),
    ],
  },
  {
    name: 'no barrier',
    why: 'a tick does not wait for what was acknowledged before it began',
    edits: [
      edit(
        'engine/dist/projection/barrier.js',
        'const head = await this.head();',
        'const head = 0; await undefined;',
      ),
    ],
  },
  {
    name: 'definitions changed in the middle of a tick',
    why: 'the checkpoint names one position, and the runs were decided by another',
    edits: [
      edit(
        owner,
        'const decision = this.decide(',
        'await parts.clock.sleep(20); const decision = this.decide(',
      ),
    ],
  },
  {
    name: 'lease by the wall clock',
    why: 'a wall that is set back prolongs a lease',
    costs: 'work',
    edits: [
      edit(
        tenure,
        'return isUnanswered || this.parts.clock.elapsed() < Math.max(leaseUntil, keepUntil);',
        'return isUnanswered || this.parts.clock.now() < leaseUntil;',
      ),
      edit(
        tenure,
        'seat.leaseUntil = askedAt + options.leaseTtlMs - options.leaseMarginMs;',
        'seat.leaseUntil = clock.now() + options.leaseTtlMs - options.leaseMarginMs;',
      ),
      edit(
        tenure,
        'if (seat.hasLease && now < seat.leaseUntil)',
        'if (seat.hasLease && clock.now() < seat.leaseUntil)',
      ),
      edit(
        tenure,
        "=== 'held' && clock.elapsed() < seat.leaseUntil",
        "=== 'held' && clock.now() < seat.leaseUntil",
      ),
    ],
  },
  {
    name: 'lease trusted from its answer',
    why: 'an answer that was long on its way grants time that is over',
    costs: 'work',
    edits: [
      edit(
        tenure,
        'seat.leaseUntil = askedAt + options.leaseTtlMs - options.leaseMarginMs;',
        'seat.leaseUntil = clock.elapsed() + options.leaseTtlMs - options.leaseMarginMs;',
      ),
    ],
  },
  {
    name: 'records dated by their schedule, short retention',
    why: 'a late run is older than the retention when it is written, and is deleted before anybody reads it',
    edits: [
      edit(
        'simulator/dist/cluster/cluster.js',
        "const timestamps = 'LogAppendTime';",
        "const timestamps = 'CreateTime';",
      ),
      edit(
        'simulator/dist/kafka/client.js',
        'timestampOf = () => this.process.clock.now()',
        'timestampOf = (record) => Date.parse(record.headers?.scheduledAt ?? "") || this.process.clock.now()',
      ),
    ],
  },
  {
    name: 'one key for owner and checkpoint',
    why: 'compaction keeps the owner record and eats the checkpoint',
    edits: [edit(records, '}:owner`', '}:checkpoint`')],
  },
  {
    name: 'fenced taken for committed',
    why: 'an owner that was thrown out goes on as if it had written',
    edits: [
      edit(
        claim,
        "return outcome === tooLate ? 'unknown' : outcome;",
        "return outcome === tooLate ? 'unknown' : 'committed';",
      ),
      edit(
        claim,
        "if (sent.outcome === 'fenced')\n                return 'fenced';",
        "if (sent.outcome === 'fenced') return 'committed';",
      ),
    ],
  },
  {
    name: 'no more than 100 missed',
    why: 'a task that has missed more than 100 occurrences is not started any more',
    edits: [
      edit(
        plan,
        'const from = this.catchUpFrom(definition);',
        `if (definition.recurrence.count(item.scheduledAt, now) > 100) return undefined;
         const from = this.catchUpFrom(definition);`,
      ),
    ],
  },
  {
    name: 'position of the views kept apart',
    why: 'the position moves on although the rows could not be stored',
    edits: [
      edit(
        'engine/dist/projection/projector.js',
        'const batch = new Batch(this.parts.views);',
        `if (page.position <= (this.saved ?? 0)) return;
         this.saved = page.position;
         const batch = new Batch(this.parts.views);`,
      ),
    ],
  },
  {
    name: 'idempotency key ignored',
    why: 'a command that is repeated after a lost answer is applied twice',
    edits: [
      edit(
        handle,
        'return idempotencyKey === undefined ? undefined : folded.keys.get(keyOf(namespace, idempotencyKey));',
        'return undefined;',
      ),
    ],
  },
  {
    name: 'append without the expected revision',
    why: 'two writers of one stream both succeed',
    edits: [
      edit(
        'simulator/dist/services/event-log-store.js',
        "const next = expected === 'none' ? 0 : expected + 1;",
        'const next = recorded.length;',
      ),
    ],
  },
  {
    name: 'answered before the append',
    why: 'the client hears yes before the event is durable',
    edits: [
      edit(
        handle,
        'const result = await log.append(stream, expected, events);',
        `void log.append(stream, expected, events).catch(() => {});
         const end = await log.head();
         const result = { outcome: 'appended', positions: events.map((_, index) => end + 1 + index) };`,
      ),
    ],
  },
  {
    name: 'unknown append repeated blindly',
    why: 'the events are appended again at the end of the stream, under new ids',
    edits: [
      edit(
        handle,
        'const there = await found(log, stream, events, fault);',
        `const end = (await log.readStream(stream)).at(-1)?.revision ?? 'none';
         const renamed = events.map((event) => ({ ...event, id: event.id + attempt }));
         const there = (await log.append(stream, end, renamed)).positions;`,
      ),
    ],
  },
  {
    name: 'conflict ignored',
    why: 'an append that lost against another one is answered as done',
    edits: [
      edit(
        handle,
        "return result.outcome === 'appended' ? result.positions : undefined;",
        'return result.positions ?? events.map(() => result.actual);',
      ),
    ],
  },
  {
    name: 'next run counted from now',
    why: 'what came due between the last run and now is passed over',
    edits: [
      edit(
        plan,
        'return this.following(definition, { at: item.dispatchAt, taskId: definition.taskId });',
        'return this.following(definition, { at: Math.max(item.dispatchAt, now), taskId: definition.taskId });',
      ),
    ],
  },
  {
    name: 'due five seconds early',
    why: 'the clock that decides is five seconds ahead',
    edits: [
      edit(
        owner,
        'this.checkpoint.evaluatedAt : parts.clock.now();',
        'this.checkpoint.evaluatedAt : parts.clock.now() + 5000;',
      ),
      edit(claim, 'sent.appendedAt + options.earlyToleranceMs < tick.next.evaluatedAt', 'false'),
    ],
  },
  {
    name: 'lost checkpoint taken for a new partition',
    why: 'when the topic of checkpoints is lost, the partition starts from now',
    edits: [
      edit(
        scheduler,
        'const { startedAt, mirrored, term } = await partitionHistoryOf(log, partition, nodeId, node.clock.now());',
        `const { term } = await partitionHistoryOf(log, partition, nodeId, node.clock.now());
         const mirrored = null;
         const startedAt = node.clock.now();`,
      ),
    ],
  },
  {
    name: 'decided by older definitions again',
    why: 'a node that is behind takes over and decides by what it has',
    edits: [
      edit(owner, 'if (position < this.position)', 'if (false)'),
      edit(
        owner,
        'this.lastBarrier = Number.NEGATIVE_INFINITY;',
        'this.lastBarrier = parts.clock.elapsed();',
      ),
    ],
  },
  {
    name: 'share kept by a node that is cut off',
    why: 'a node that lives and can do nothing keeps its partitions',
    edits: [
      edit(
        'engine/dist/cluster/fitness.js',
        'if (this.isFit)\n            this.troubleSince',
        'if (false)\n            this.troubleSince',
      ),
    ],
  },
]
