/**
 * `npm run deaths -- [--times N] [--lanes N] [--speed N] [--json] [WAY…]`: lanes die in every way there is, with shares in
 * hand, while the others trade. One line per way; exit code 1 when a share was lost, sold twice, or a death not noticed.
 */
import { parseArgs } from 'node:util';
import { type Measured, measureDeath, type Outcome, TIMES_PER_DAY } from './measure.ts';
import { DEATHS, type Death } from './mortal.ts';
import { dieOfAllocation } from './restart.ts';

const PATIENCE_MS = 60_000;
/** The process dies and is started again: a few times show it as well as many, and each takes a start and a stop. */
const LANES_OF_RESTART = 4;

const { values, positionals } = parseArgs({
  options: {
    times: { type: 'string', default: '10' },
    lanes: { type: 'string', default: '8' },
    speed: { type: 'string', default: '60' },
    json: { type: 'boolean', default: false },
  },
  allowPositionals: true,
});
const [times, lanes, speed] = [Number(values.times), Number(values.lanes), Number(values.speed)];
const all = Object.keys(DEATHS) as Death[];
const wanted = positionals.length === 0 ? all : all.filter((death) => positionals.includes(death));
const mistakes = [
  ...positionals.filter((name) => !all.some((death) => death === name)).map((name) => `no such way: ${name}`),
  ...Object.entries({ times, lanes, speed }).flatMap(([name, value]) =>
    Number.isInteger(value) && value > 0 ? [] : [`${name} is a whole number, 1 or more`],
  ),
];

type Line = {
  readonly way: Death;
  readonly deaths: number;
  readonly noticedAs: readonly string[];
  readonly exitMsMedian: number;
  readonly exitMsMax: number;
  readonly othersMsMedian: number | null;
  readonly quietMsMedian: number | null;
  readonly othersRatio: number | null;
};

const wrong: string[] = [];

function print(line: Line): void {
  if (values.json) {
    process.stdout.write(`${JSON.stringify(line)}\n`);
    return;
  }
  const others =
    line.othersRatio === null
      ? 'others died with it'
      : `others ${ms(line.othersMsMedian)} while it died, ${ms(line.quietMsMedian)} in quiet (${line.othersRatio})`;
  const since = line.way === 'allocation' ? 'end of the process' : 'death';
  const noticed = [...new Set(line.noticedAs)].join(', ');
  process.stdout.write(
    `${line.way.padEnd(10)} ${String(line.deaths).padStart(3)} deaths, noticed as ${noticed}; ${since} to exit order ` +
      `${ms(line.exitMsMedian)} (at most ${ms(line.exitMsMax)}); ${others}\n`,
  );
}

const ms = (value: number | null): string => `${value?.toFixed(1)} ms`;
const rounded = (value: number): number => Math.round(value * 100) / 100;

function median(samples: readonly number[]): number {
  const sorted = [...samples].sort((a, b) => a - b);
  return rounded(sorted[Math.floor(sorted.length / 2)] ?? Number.NaN);
}

function lineOf({ death, exitMs, codes, othersMs, quietMs }: Outcome): Line {
  if (codes.length < times) wrong.push(`${death}: ${times - codes.length} deaths were not noticed`);
  const [othersMsMedian, quietMsMedian] = [median(othersMs), median(quietMs)];
  return {
    way: death,
    deaths: exitMs.length,
    noticedAs: codes,
    exitMsMedian: median(exitMs),
    exitMsMax: rounded(Math.max(...exitMs)),
    othersMsMedian,
    quietMsMedian,
    othersRatio: rounded(othersMsMedian / quietMsMedian),
  };
}

async function ofThreads(death: Death): Promise<void> {
  const days: Measured[] = [];
  for (let left = times; left > 0; left -= TIMES_PER_DAY) {
    const plan = { death, times: Math.min(left, TIMES_PER_DAY), lanes, speed, patienceMs: PATIENCE_MS };
    const day = await measureDeath(plan);
    wrong.push(...day.books.wrong, ...day.books.open, ...day.report.open);
    days.push(day);
  }
  const outcome: Outcome = {
    death,
    exitMs: days.flatMap(({ exitMs }) => exitMs),
    codes: days.flatMap(({ codes }) => codes),
    othersMs: days.flatMap(({ othersMs }) => othersMs),
    quietMs: days.flatMap(({ quietMs }) => quietMs),
  };
  print(lineOf(outcome));
}

async function ofTheProcess(): Promise<void> {
  const exitMs: number[] = [];
  const signals: string[] = [];
  for (let time = 0; time < times; time += 1) {
    const restart = await dieOfAllocation(LANES_OF_RESTART, speed, PATIENCE_MS);
    exitMs.push(...restart.exitMs);
    signals.push(String(restart.signal));
    if (restart.signal !== 'SIGABRT') wrong.push(`the process aborts: ended by ${restart.signal}`);
    wrong.push(...restart.books.wrong, ...restart.books.open, ...restart.open);
  }
  print({
    way: 'allocation',
    deaths: times,
    noticedAs: signals,
    exitMsMedian: median(exitMs),
    exitMsMax: rounded(Math.max(...exitMs)),
    othersMsMedian: null,
    quietMsMedian: null,
    othersRatio: null,
  });
}

async function main(): Promise<number> {
  if (mistakes.length > 0) {
    for (const mistake of mistakes) process.stderr.write(`deaths: ${mistake}\n`);
    return 2;
  }
  try {
    for (const death of wanted) if (death !== 'allocation') await ofThreads(death);
    if (wanted.includes('allocation')) await ofTheProcess();
  } catch (error) {
    wrong.push(error instanceof Error ? error.message : String(error));
  }
  for (const what of wrong) process.stderr.write(`deaths: ${what}\n`);
  const verdict = wrong.length === 0 ? 'every share was sold once' : `${wrong.length} things went wrong`;
  process.stderr.write(`deaths: ${verdict}\n`);
  return wrong.length === 0 ? 0 : 1;
}

process.exit(await main());
