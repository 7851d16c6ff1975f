import { relative, resolve } from 'node:path';
import { formatMistake } from '../../adapters/config/mistake.ts';
import { changeOf, type Overrides, readOverrides } from '../../adapters/config/read-overrides.ts';
import { day as dayUnit, ticker } from '../../adapters/config/units.ts';
import { JournalError } from '../../adapters/journal/journal-error.ts';
import { type JournalReader, openJournalReader } from '../../adapters/journal/read-day.ts';
import { StrategyError } from '../../adapters/threads/strategy-loader.ts';
import type { Ticker } from '../../domain/ids.ts';
import type { SessionDay } from '../../domain/time.ts';
import { laneBeginIn } from '../../engine/lane-records.ts';
import { createReplay, type DayReplay } from '../../engine/replay.ts';
import type { Change } from '../../engine/replay-altered.ts';
import type { StoredRecord } from '../../ports/journal.ts';
import type { StrategySetting } from '../../ports/lane-protocol.ts';
import type { Io, Register } from '../command.ts';
import { CONFIG_HELP, CONFIG_OPTION, readConfiguration } from '../configuration.ts';
import { EXIT, type ExitCode } from '../exit-codes.ts';
import { projectVersion } from '../project.ts';
import { describeReplay, isSame, type ReplayFacts } from '../replay-report.ts';
import { createStrategyShelf } from '../strategy-shelf.ts';
import { type OperatorOptions, symbolOf } from './operator.ts';

type ReplayCommandOptions = OperatorOptions & {
  readonly symbol?: string;
  readonly set: readonly string[];
  readonly journal?: string;
};

const PAGE = 2_000;
/** Wall time after which a long replay says how far it is, and again each time it has passed. */
const TELL_MILLIS = 2_000;

export const registerReplay: Register = (program, { io, ends }) => {
  program
    .command('replay')
    .description('decide a recorded day again and show the first decision that differs')
    .argument('<DAY>', 'the session day, YYYY-MM-DD')
    .option('-s, --symbol <S>', 'this lane only')
    .option(
      '--set <PATH=VALUE>',
      'what would differ with another setting (strategy.period=25, exit.markup=0.01, lot=1500); repeatable',
      (text: string, earlier: readonly string[]) => [...earlier, text],
      [],
    )
    .option('--journal <FILE>', 'the journal (default: journal.path of the file)')
    .option(CONFIG_OPTION, CONFIG_HELP)
    .option('--json', 'print everything as JSON')
    .addHelpText(
      'after',
      '\nExit codes: 0 every recorded decision is the same, 1 one differs, 2 wrong usage.',
    )
    .action(ends((day: string, options: ReplayCommandOptions) => replay(io, day, options)));
};

async function replay(io: Io, dayText: string, options: ReplayCommandOptions): Promise<ExitCode> {
  const load = await readConfiguration(io, options);
  const wish = readWish(io, dayText, options);
  if (load === null || wish === null) return EXIT.usage;
  const path = resolve(io.cwd, options.journal ?? load.config.journal.path);
  const name = relative(io.cwd, path);
  const shown = name.startsWith('..') ? path : name;
  const shelf = createStrategyShelf(io.cwd);
  try {
    const reader = openJournalReader(path);
    try {
      const records = countRecords(io, reader, wish, shown);
      if (records === null) return EXIT.usage;
      const change = wish.overrides === null ? null : changeOf(wish.overrides);
      const setting = shelf.resolve(load.config.strategy);
      const result = await play(io, reader, { ...wish, records, change, setting }, shelf);
      if (wish.symbol !== null && result.lanes.length === 0) {
        io.err(`scalpd: ${shown} has no lane ${wish.symbol} on ${wish.day}`);
        return EXIT.usage;
      }
      return tell(io, options, {
        day: wish.day,
        journal: shown,
        build: projectVersion(),
        set: wish.overrides?.texts ?? [],
        ...result,
      });
    } finally {
      reader.close();
    }
  } catch (cause) {
    return explain(io, cause);
  }
}

type Wish = {
  readonly day: SessionDay;
  readonly symbol: Ticker | null;
  readonly overrides: Overrides | null;
};

/** What the command line asks for; `null` after the mistakes were printed. */
function readWish(io: Io, dayText: string, options: ReplayCommandOptions): Wish | null {
  const day = dayUnit.read(dayText);
  const typed = symbolOf(options.symbol);
  const symbol = typed === null ? null : ticker.read(typed);
  const overrides = readOverrides(options.set);
  if (day === null) io.err(`command line: DAY: allowed: ${dayUnit.allowed}; found: ${dayText}`);
  if (typed !== null && symbol === null)
    io.err(`command line: --symbol: allowed: ${ticker.allowed}; found: ${options.symbol}`);
  if (!overrides.ok) for (const mistake of overrides.mistakes) io.err(formatMistake(mistake));
  if (day === null || (typed !== null && symbol === null) || !overrides.ok) return null;
  return { day, symbol, overrides: options.set.length === 0 ? null : overrides.overrides };
}

/** How many records the day has; `null` after it was told that there are none. */
function countRecords(io: Io, reader: JournalReader, { day }: Wish, journal: string): number | null {
  const days = reader.days();
  const found = days.find((each) => each.day === day);
  if (found !== undefined) return found.records;
  const last = days.slice(-5).map((each) => each.day);
  const known =
    last.length === 0 ? 'it is empty' : `it has ${days.length > 5 ? '... ' : ''}${last.join(' ')}`;
  io.err(`scalpd: ${journal} has no records of ${day}; ${known}`);
  return null;
}

async function play(
  io: Io,
  reader: JournalReader,
  asked: Wish & {
    readonly records: number;
    readonly change: Change | null;
    readonly setting: StrategySetting;
  },
  shelf: ReturnType<typeof createStrategyShelf>,
): Promise<DayReplay> {
  const { day, symbol, change, setting, records } = asked;
  const changed = (recorded: StrategySetting): StrategySetting =>
    change === null ? recorded : shelf.resolve(change.strategy(recorded));
  const playing = createReplay({
    strategyOf: shelf.of,
    strategy: setting,
    change: change === null ? null : { ...change, strategy: changed },
    symbol,
  });
  let toldAt = Date.now();
  let done = 0;
  for (let last = 0; ; ) {
    const page = reader.page(day, last, PAGE);
    for (const recorded of settingsIn(page, setting)) {
      await shelf.load(recorded, 'the journal');
      if (change !== null) await shelf.load(changed(recorded), 'command line');
    }
    for (const record of page) playing.take(record);
    done += page.length;
    if (page.length < PAGE) return playing.result();
    last = page.at(-1)?.id ?? last;
    if (Date.now() - toldAt >= TELL_MILLIS) {
      toldAt = Date.now();
      io.err(`replay: ${done} of ${records} records`);
    }
  }
}

/** The strategies that lanes begin with in these records. */
const settingsIn = (page: readonly StoredRecord[], unsaid: StrategySetting): readonly StrategySetting[] =>
  page.flatMap(({ kind, body }) => {
    const begin = kind === 'session' ? laneBeginIn(body) : null;
    return begin === null ? [] : [begin.strategy ?? unsaid];
  });

function tell(io: Io, options: ReplayCommandOptions, facts: ReplayFacts): ExitCode {
  const same = isSame(facts);
  if (options.json === true) io.out(JSON.stringify({ same, ...facts }));
  else for (const line of describeReplay(facts)) io.out(line);
  return same ? EXIT.done : EXIT.failed;
}

function explain(io: Io, cause: unknown): ExitCode {
  if (cause instanceof StrategyError) {
    io.err(cause.message);
    return EXIT.usage;
  }
  if (!(cause instanceof JournalError)) throw cause;
  io.err(`scalpd: ${cause.message} (${cause.code})`);
  return cause.code === 'journal.absent' || cause.code === 'journal.foreign' ? EXIT.usage : EXIT.failed;
}
