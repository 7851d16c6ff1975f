import { createReplay, type DayReplay, type ReplayOptions } from '../../lib/engine/replay.ts';
import type { StoredRecord } from '../../lib/ports/journal.ts';
import type { StrategySetting } from '../../lib/ports/lane-protocol.ts';
import type { Strategy } from '../../lib/strategy/contract.ts';
import { smaCross } from '../../lib/strategy/sma-cross.ts';

export const SETTING: StrategySetting = { name: 'sma-cross', period: 20 };

/** Replays records in one go. */
export function replayed(records: readonly StoredRecord[], over: Partial<ReplayOptions> = {}): DayReplay {
  const replay = createReplay({ strategyOf: () => smaCross as Strategy, strategy: SETTING, ...over });
  for (const record of records) replay.take(record);
  return replay.result();
}

/** Everything that is not as recorded, for a message. */
export const faultsOf = ({ lanes, damages }: DayReplay): readonly string[] => [
  ...damages,
  ...lanes.flatMap(({ symbol, gaps, difference, notCompared }) => [
    ...gaps.map((gap) => `${symbol}: ${gap}`),
    ...(difference === null
      ? []
      : [`${symbol}: ${difference.kind} at record ${difference.record}: ${difference.path}`]),
    ...(notCompared === 0 ? [] : [`${symbol}: ${notCompared} steps not compared`]),
  ]),
];
