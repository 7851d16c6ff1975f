import { type Corpus, makeCorpus } from './corpus.ts';
import { type Finding, type Report, textOf } from './finding.ts';
import { createAnswerFuzz } from './fuzz-answers.ts';
import { createConfigFuzz } from './fuzz-configs.ts';
import { createFrameFuzz } from './fuzz-frames.ts';
import { runFuzzedDay } from './fuzzed-day.ts';
import { watchMemory } from './memory.ts';
import { type Counts, count } from './socket-stand.ts';

/** `day`: both sockets with the engine behind them, by the day; `data` and `trading`: decoder and connection alone. */
export const PARTS = ['day', 'data', 'trading', 'answers', 'configs'] as const;
export type Part = (typeof PARTS)[number];

export type PartResult = {
  readonly part: Part;
  readonly cases: number;
  readonly cpuSeconds: number;
  readonly counts: Readonly<Record<string, number>>;
};

type Runner = { readonly counts: Counts; run(number: number): void | Promise<void>; close?(): Promise<void> };
export type Watch = {
  onFinding(finding: Finding): void;
  onProgress(part: Part, done: number, of: number): void;
};

let corpus: Corpus | null = null;

async function openPart(part: Part, seed: number, onFinding: Watch['onFinding']): Promise<Runner> {
  switch (part) {
    case 'day':
      return dayRunner(seed, onFinding);
    case 'answers':
      return createAnswerFuzz(seed, onFinding);
    case 'configs':
      return createConfigFuzz(seed, onFinding);
    default:
      corpus ??= await makeCorpus();
      return createFrameFuzz(part, seed, corpus, onFinding);
  }
}

function dayRunner(seed: number, onFinding: Watch['onFinding']): Runner {
  const counts: Counts = new Map();
  const add = (what: string, howMany: number): void =>
    void counts.set(what, (counts.get(what) ?? 0) + howMany);
  return {
    counts,
    async run(number) {
      const report: Report = (rule, text) => onFinding({ part: 'day', number, rule, text });
      const day = await runFuzzedDay(`${seed}/day/${number}`, report).catch((error: unknown) => {
        report('crashed', textOf(error));
        return null;
      });
      if (day === null) return;
      add('data frames', day.dataFrames);
      add('trading frames', day.tradeFrames);
      add('orders', day.orders);
      add('fills', day.fills);
      add('round trips', day.status.roundTrips);
      for (const lane of day.status.lanes)
        if (lane.mode !== 'active') count(counts, `lanes ended ${lane.mode}`);
      for (const [line, times] of day.said) if (line.startsWith('error')) add(line, times);
    },
  };
}

/** Runs `cases` of a part, from `from` on. Memory is watched where frames are counted by the hundred thousand. */
export async function runPart(
  part: Part,
  { seed, from, cases }: { readonly seed: number; readonly from: number; readonly cases: number },
  watch: Watch,
): Promise<PartResult> {
  const runner = await openPart(part, seed, watch.onFinding);
  const before = process.cpuUsage();
  const memory = watchMemory();
  const warm = Math.floor(cases / 5);
  try {
    for (let done = 0; done < cases; done += 1) {
      if (done === warm) memory.begin();
      await runner.run(from + done);
      if (part === 'day' || done % 256 === 255) {
        watch.onProgress(part, done + 1, cases);
        await new Promise((resolve) => setImmediate(resolve));
      }
    }
    const grown = memory.grown();
    if (grown !== null)
      watch.onFinding({
        part,
        number: from,
        rule: 'memoryGrew',
        text: `by ${grown} bytes in ${cases - warm} cases`,
      });
  } finally {
    await runner.close?.();
  }
  const { user, system } = process.cpuUsage(before);
  const counts = Object.fromEntries([...runner.counts].sort(([a], [b]) => (a < b ? -1 : 1)));
  return { part, cases, cpuSeconds: Math.round((user + system) / 1e5) / 10, counts };
}
