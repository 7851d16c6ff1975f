import { readFile } from 'node:fs/promises';
import { decimal, whole } from '../../adapters/config/units.ts';
import { wallTime } from '../../adapters/time/calendar.ts';
import { formatDecimal } from '../../domain/money.ts';
import { type FaultPlan, parseFaultPlan } from '../../sim/faults.ts';
import type { Io, Register } from '../command.ts';
import type { ExchangeFacts } from '../exchange-options.ts';
import { type ExchangeThread, startExchangeThread } from '../exchange-thread.ts';
import { EXIT, type ExitCode } from '../exit-codes.ts';

type ExchangeCommand = {
  readonly port?: string;
  readonly tape?: readonly string[];
  readonly speed?: string;
  readonly seed?: string;
  readonly faults?: string;
  readonly symbols?: string;
  readonly count?: string;
  readonly day?: string;
  readonly days?: string;
  readonly start?: string;
  readonly skipNights?: boolean;
  readonly cash?: string;
  readonly json?: boolean;
};

const PORT = 9740;

export const registerExchange: Register = (program, { io, ends }) => {
  program
    .command('exchange')
    .description('the embedded exchange alone: a simulated Alpaca on loopback, for any Alpaca client')
    .option('--port <N>', `port on 127.0.0.1; 0 takes a free one (default: ${PORT})`)
    .option(
      '--tape <PATH...>',
      'recorded days: .ndjson or .ndjson.gz files in Alpaca field names, or folders',
    )
    .option('--speed <N>', 'exchange seconds per second (default: 1)')
    .option('--seed <N>', 'the market to invent, and every draw of chance (default: 1)')
    .option('--faults <FILE>', 'what goes wrong, as JSON')
    .option('--symbols <LIST>', 'symbols of the invented market or of the tape, with commas between')
    .option('--count <N>', 'number of symbols of the invented market')
    .option('--day <YYYY-MM-DD>', 'the day to play')
    .option('--days <N>', 'trading days of the invented market (default: 1)')
    .option(
      '--start <HH:MM>',
      'time in New York to start at; the market before it is history (default: 09:28)',
    )
    .option('--skip-nights', 'from one session straight to the next: its clock steps over the hours between')
    .option('--cash <USD>', 'cash of the account (default: 100000)')
    .option('--json', 'print what it listens on as one line of JSON')
    .action(ends((options: ExchangeCommand) => exchange(io, options)));
};

type Wish = {
  readonly facts: ExchangeFacts;
  readonly port: number;
  readonly speed: number;
  readonly faults: FaultPlan | null;
};

async function exchange(io: Io, options: ExchangeCommand): Promise<ExitCode> {
  const wish = await readWish(options);
  if ('mistakes' in wish) return refuse(io, wish.mistakes);
  const signals = io.stopSignals();
  try {
    const lost = new AbortController();
    const started = await startExchangeThread(
      { facts: wish.facts, server: { port: wish.port, speed: wish.speed }, faults: wish.faults },
      {
        onLog: (level, text) => io.err(`scalpd: exchange ${level}: ${text}`),
        onLost: (cause) => lost.abort(cause),
      },
    );
    if (!started.ok) return refuse(io, started.mistakes);
    announce(io, options, started.thread, wish.speed);
    await eitherAborted(signals.first, lost.signal);
    if (lost.signal.aborted) {
      io.err(`scalpd: the exchange ended: ${String(lost.signal.reason)}`);
      return EXIT.failed;
    }
    await farewell(io, options, started.thread);
    await started.thread.stop();
    return EXIT.done;
  } finally {
    signals.release();
  }
}

function announce(io: Io, { json }: ExchangeCommand, { listening }: ExchangeThread, speed: number): void {
  const { url, symbols, sessions, startAt } = listening;
  if (json === true) {
    io.out(JSON.stringify({ url, symbols, days: sessions.map(({ day }) => day), speed }));
    return;
  }
  const shown =
    symbols.length > 12
      ? `${symbols.slice(0, 12).join(' ')} and ${symbols.length - 12} more`
      : symbols.join(' ');
  io.out(
    `exchange: ${url}  (${sessions.map(({ day }) => day).join(', ')}, ${wallTime(startAt)} New York, speed ${speed})`,
  );
  io.out(`symbols: ${shown}`);
  io.out('any key pair is accepted; point a client here:');
  for (const name of ['APCA_API_BASE_URL', 'APCA_API_DATA_URL', 'APCA_API_STREAM_URL'])
    io.out(`  export ${name}=${url}`);
  io.out('  export APCA_API_KEY_ID=any APCA_API_SECRET_KEY=any');
}

/** Its books at the end: what clients did to the account. */
async function farewell(io: Io, { json }: ExchangeCommand, thread: ExchangeThread): Promise<void> {
  const books = await thread.ledger();
  if (json === true) {
    io.out(JSON.stringify(books));
    return;
  }
  const held = books.positions.filter(({ shares }) => shares !== 0);
  io.out(
    `orders ${books.orders}, fills ${books.fills}, open ${books.openOrders.length}, ` +
      `held ${held.length === 0 ? 'nothing' : held.map(({ symbol, shares }) => `${shares} ${symbol}`).join(', ')}, ` +
      `cash ${formatDecimal(books.cash)} USD, fees ${formatDecimal(books.feesPaid)} USD`,
  );
}

async function readWish(options: ExchangeCommand): Promise<Wish | { readonly mistakes: readonly string[] }> {
  const mistakes: string[] = [];
  const number = (
    name: keyof ExchangeCommand,
    unit: { readonly allowed: string; readonly read: (text: string) => number | null },
  ): number | null => {
    const text = options[name];
    if (typeof text !== 'string') return null;
    const value = unit.read(text);
    if (value === null) mistakes.push(`--${name}: allowed: ${unit.allowed}; found: ${text}`);
    return value;
  };
  const facts: ExchangeFacts = {
    tapePaths: options.tape ?? [],
    symbols: options.symbols?.split(',').map((symbol) => symbol.trim().toUpperCase()) ?? null,
    symbolCount: number('count', whole(1, 5_000)),
    seed: number('seed', whole(0, 4_294_967_295)) ?? 1,
    startAt: options.start ?? null,
    day: options.day ?? null,
    days: number('days', whole(1, 60)),
    skipNights: options.skipNights ?? false,
    cashUsd: number('cash', decimal(1, 1_000_000_000)),
  };
  const port = number('port', whole(0, 65_535)) ?? PORT;
  const speed = number('speed', decimal(0.01, 10_000)) ?? 1;
  const faults = options.faults === undefined ? null : await readFaults(options.faults, mistakes);
  return mistakes.length > 0 ? { mistakes } : { facts, port, speed, faults };
}

async function readFaults(file: string, mistakes: string[]): Promise<FaultPlan | null> {
  let raw: unknown;
  try {
    raw = JSON.parse(await readFile(file, 'utf8'));
  } catch (error) {
    mistakes.push(
      `${file}: a fault plan is a JSON file; ${error instanceof Error ? error.message : String(error)}`,
    );
    return null;
  }
  const parsed = parseFaultPlan(raw);
  if ('plan' in parsed) return parsed.plan;
  for (const { where, text } of parsed.mistakes) mistakes.push(`${file}: ${where}: ${text}`);
  return null;
}

function refuse(io: Io, mistakes: readonly string[]): ExitCode {
  for (const mistake of mistakes) io.err(`exchange: ${mistake}`);
  return EXIT.usage;
}

const eitherAborted = (...signals: readonly AbortSignal[]): Promise<void> =>
  new Promise((resolve) => {
    for (const signal of signals) {
      if (signal.aborted) resolve();
      else signal.addEventListener('abort', () => resolve(), { once: true });
    }
  });
