import type { Remedy } from './remedy.ts';

/** Remedies that are not one of the traps' own. */
export const REMEDIES: readonly Remedy[] = [
  // --- fills and orders ------------------------------------------------------------------------------------------------
  {
    name: 'the set of execution ids',
    file: 'lib/domain/fills.js',
    find: 'ledger.executionIds.includes(fill.executionId)',
    replace: 'false',
    tests: { files: ['failures/orders.test.ts'], title: 'fill twice' },
  },
  {
    name: 'the replacement of inferred shares by the execution behind them',
    file: 'lib/domain/fills.js',
    find: 'const eaten = Math.min(fill.lastQty, ledger.inferredQty);',
    replace: 'const eaten = 0;',
    tests: { files: ['domain/order.test.ts', 'lane/lane-properties.test.ts'], title: '' },
  },
  {
    name: 'the wait for the cancel before the market sell',
    file: 'lib/domain/lane-step.js',
    find: 'if (!unwanted || !isLive(order))',
    replace:
      "if (unwanted && isLive(order)) return exposedNow({ ...lane, past: [...lane.past, { kind: 'done', intent: order.intent, ledger: order.ledger, ending: 'canceled', endedAt: turn.at }] }, turn.at);\n    if (order)",
    tests: { files: ['lane/lane-exit.test.ts', 'lane/traps.test.ts'], title: '' },
  },
  {
    name: 'the several answers over a grace time before an order counts as absent',
    file: 'lib/engine/order-inquiry.js',
    find: 'if (tracked.absences < settings.absencesMin || waited < settings.absentAfter)',
    replace: 'if (false)',
    tests: { files: ['engine/order-tracker.test.ts'], title: 'believes absence only after several answers' },
  },
  {
    name: 'the polling of an order whose lane waits for a word',
    file: 'lib/engine/order-tracker.js',
    find: 'if (attended && tracked.timer === null && !tracked.asking)',
    replace: 'if (false)',
    tests: { files: ['engine/order-tracker.test.ts'], title: 'polls an order whose lane waits' },
  },
  {
    name: 'the listings while the order stream is away',
    file: 'lib/engine/order-sweep.js',
    find: 'if (first === null || sweeping)',
    replace: 'if (first === null || sweeping || blind)',
    tests: { files: ['engine/feeds-day.test.ts'], title: 'trade socket refused for minutes' },
  },
  {
    name: 'the second reading of a successor',
    file: 'lib/engine/order-succession.js',
    find: 'if (own.some(({ at }) => at > successor.updatedAt))',
    replace: 'if (false)',
    tests: { files: ['engine/order-succession.test.ts'], title: 'reads a successor again' },
  },
  {
    name: 'the cancel of our own order that holds the shares of a refused sell',
    file: 'lib/engine/held-shares.js',
    find: "tracker.cancel(clientOrderId, 'urgent');",
    replace: 'void 0;',
    tests: { files: ['engine/gateway.test.ts'], title: 'a held-shares refusal cancels our own order' },
  },
  {
    name: 'the limit instead of a market sell against a bid of others',
    file: 'lib/domain/lane-exit.js',
    find: 'if (opposed === 0 || mark === null)',
    replace: 'if (true)',
    tests: { files: ['lane/lane-opposed.test.ts'], title: '' },
  },

  // --- the gateway -----------------------------------------------------------------------------------------------------
  {
    name: 'the share of the request budget that only exits may use',
    file: 'lib/engine/token-bucket.js',
    find: 'Math.min(limit - 1, Math.ceil(limit * settings.reserve))',
    replace: '0',
    tests: { files: ['engine/token-bucket.test.ts'], title: 'keeps the reserve for exits' },
  },
  {
    name: 'the strict order of priorities',
    file: 'lib/engine/request-queue.js',
    find: "['urgent', 'cancel', 'exit', 'entry', 'query']",
    replace: "['query', 'entry', 'exit', 'cancel', 'urgent']",
    tests: { files: ['engine/request-queue.test.ts'], title: 'sends by strict priority' },
  },
  {
    name: 'the pause after a 429',
    file: 'lib/engine/request-queue.js',
    find: 'bucket.pause(sending.retryAt ?? after(now, limits.pauseUnsaid));',
    replace: '',
    tests: { files: ['engine/request-queue.test.ts', 'failures/orders.test.ts'], title: '429' },
  },
  {
    name: 'the short life of an entry in the queue',
    file: 'lib/domain/lane-entry.js',
    find: 'expiresAt: after(turn.at, lane.params.entryQueueMax),',
    replace: 'expiresAt: null,',
    tests: { files: ['failures/orders.test.ts'], title: '429 before an entry left' },
  },
  {
    name: 'the last look before an entry leaves',
    file: 'lib/engine/gateway.js',
    find: 'return deps.entryStop(intent.symbol) ?? halted(intent);',
    replace: 'return null;',
    tests: { files: ['engine/gateway.test.ts'], title: 'a stop that comes while an entry waits' },
  },
  {
    name: 'the stop of entries when flattening would not fit any more',
    file: 'lib/engine/gateway.js',
    find: 'if (need <= left)',
    replace: 'if (true)',
    tests: { files: ['engine/gateway.test.ts'], title: 'entries stop at the very microsecond' },
  },
  {
    name: 'the look at the halt before an order leaves',
    file: 'lib/engine/gateway.js',
    find: 'deps.isHalted(symbol) ?',
    replace: 'false ?',
    tests: { files: ['engine/halts.test.ts'], title: 'that waits in the queue does not leave into the halt' },
  },
  {
    name: 'the bound on how long an exit waits for the journal',
    file: 'lib/engine/gateway.js',
    find: 'await orPatience(written);',
    replace: 'await written;',
    tests: { files: ['engine/gateway.test.ts'], title: 'an exit does not wait for a disk that hangs' },
  },

  // --- sockets and bars ------------------------------------------------------------------------------------------------
  {
    name: 'the filling of gaps before the next bar',
    file: 'lib/engine/bar-keeper.js',
    find: 'if (line.wantedTo === null && bar.startAt === completeTo(line)) {',
    replace: 'if (true) {',
    tests: {
      files: ['engine/feed-hub.test.ts'],
      title: 'a lane sees no live bar before what a gap swallowed',
    },
  },
  {
    name: 'the stop of entries while the data socket is away',
    file: 'lib/engine/entry-gates.js',
    find: 'return dataLive && !unheard.has(symbol) ? OPEN : NO_DATA;',
    replace: 'return OPEN;',
    tests: { files: ['engine/switches.test.ts'], title: 'entry gates' },
  },
  {
    name: 'the stop of entries while the order stream is away',
    file: 'lib/engine/entry-gates.js',
    find: 'if (tradesLiveSince === null || unsure.has(symbol))',
    replace: 'if (false)',
    tests: {
      files: ['engine/switches.test.ts', 'engine/day.test.ts'],
      title: 'enters again only after a full look',
    },
  },
  {
    name: 'the full look after the order stream came back',
    file: 'lib/engine/entry-gates.js',
    find: 'if (tradesLiveSince === null || begunAt < tradesLiveSince)',
    replace: 'if (tradesLiveSince === null)',
    tests: { files: ['engine/switches.test.ts'], title: 'entry gates' },
  },
  {
    name: 'the wait of 90 s for a taken slot (406)',
    file: 'lib/engine/connection-types.js',
    find: 'slotWait: seconds(90),',
    replace: 'slotWait: seconds(1),',
    tests: { files: ['engine/feeds-day.test.ts'], title: 'data slot held by another session' },
  },
  {
    name: 'the healthy seconds before pauses start over',
    file: 'lib/engine/connection.js',
    find: "state.kind === 'live' && event.at - state.since >= policy.healthyAfter",
    replace: "state.kind === 'live'",
    tests: { files: ['alpaca/connection.test.ts'], title: 'starts over only after healthy seconds' },
  },
  {
    name: 'the watch over a mute data socket',
    file: 'lib/engine/connection.js',
    find: 'if (limit !== null && silence !== null && silence >= limit)',
    replace: 'if (false)',
    tests: { files: ['engine/feeds-day.test.ts'], title: 'data socket mute' },
  },

  // --- reconciliation and restarts -------------------------------------------------------------------------------------
  {
    name: 'the halt of a symbol in which shares of others are',
    file: 'lib/engine/reconciler.js',
    find: "const mode = reason === 'foreign' ? 'halted' : 'exitOnly';",
    replace: "if (reason === 'foreign') return;\n        const mode = 'exitOnly';",
    tests: {
      files: ['engine/adoption.test.ts'],
      title: 'shares that were there before the start halt the lane',
    },
  },
  {
    name: 'the demand that every look shows the same disagreement',
    file: 'lib/domain/reconcile.js',
    find: 'finding.evidence}`',
    replace: '""}`',
    tests: { files: ['domain/reconcile-lag.test.ts'], title: 'takes figures that move along' },
  },
  {
    name: 'the rule that an order nobody has proven is not missed',
    file: 'lib/domain/reconcile.js',
    find: "order.kind === 'canceling' && !order.proven ? 'inFlight' : order.kind",
    replace: 'order.kind',
    tests: { files: ['domain/reconcile-lag.test.ts'], title: 'takes no order for missing' },
  },
  {
    name: 'the comparison of the journal with the orders at the broker at a start',
    file: 'lib/engine/opening.js',
    find: '!missesOrders(known, plan.day, picture)',
    replace: 'true',
    tests: {
      files: ['engine/restart.test.ts'],
      title: 'takes the lane from the broker when the journal lacks',
    },
  },
  {
    name: 'the doubt about a lane whose records the disk refused',
    file: 'lib/engine/restore.js',
    find: "else if (kind === 'gap') {",
    replace: "else if (kind === 'gap') {\n            continue;",
    tests: { files: ['journal/bad-disk.test.ts'], title: 'killed between the gap and the new beginning' },
  },

  // --- lanes and latches -----------------------------------------------------------------------------------------------
  {
    name: 'the custodian',
    file: 'lib/engine/supervisor.js',
    find: 'takeIntoCustody(seat, unanswered);',
    replace: '',
    tests: { files: ['failures/process.test.ts'], title: 'worker' },
  },
  {
    name: 'the search for lanes that hang',
    file: 'lib/engine/heartbeat.js',
    find: 'onSilent(symbol);',
    replace: '',
    tests: { files: ['engine/day.test.ts'], title: 'a lane that hangs is found by its pings' },
  },
  {
    name: 'the call back of a lane when shares turn up during its handover',
    file: 'lib/engine/supervisor.js',
    find: 'else if (isPressing(input))',
    replace: 'else if (false)',
    tests: { files: ['engine/supervisor.test.ts', 'engine/custody.test.ts'], title: 'shares' },
  },
  {
    name: 'the end of restarts after three losses in ten minutes',
    file: 'lib/engine/seat.js',
    find: 'if (lossesAt.length >= settings.lossesMax)',
    replace: 'if (false)',
    tests: { files: ['engine/day.test.ts'], title: 'a lane lost three times in ten minutes' },
  },
  {
    name: 'the kill switch that survives a restart',
    file: 'lib/engine/kill-switch.js',
    find: "latch({ reason: 'kill', by: order.by, why: order.why, at });",
    replace: '',
    tests: {
      files: ['engine/day.test.ts'],
      title: 'kill flattens everything, latches, and survives a restart',
    },
  },
  {
    name: 'the daily loss that survives a restart',
    file: 'lib/engine/kill-switch.js',
    find: "latchLoss({ kind: 'latched', at, dayPnl: Number(said.dayPnl ?? 0) });",
    replace: '',
    tests: { files: ['engine/limits.test.ts'], title: 'stays latched over a restart and the night' },
  },
];
