import { resolve } from 'node:path';
import { InvalidArgumentError } from 'commander';
import { LOG_FILE } from '../../adapters/log/open-log.ts';
import { type LogRecord, toJsonLine, toReadable } from '../../adapters/log/record.ts';
import { type Accept, follow, readLast } from '../../adapters/log/tail.ts';
import type { Register } from '../command.ts';
import { CONFIG_HELP, CONFIG_OPTION, readConfiguration } from '../configuration.ts';
import { EXIT } from '../exit-codes.ts';
import { type OperatorOptions, symbolOf } from './operator.ts';

type TailOptions = OperatorOptions & {
  readonly symbol?: string;
  readonly lines: number;
  readonly follow?: boolean;
};

const LOOK_MILLIS = 200;

export const registerTail: Register = (program, { io, ends }) => {
  program
    .command('tail')
    .description("the daemon's log, readable; the daemon need not run")
    .option('-s, --symbol <S>', 'lines of this symbol only')
    .option('-n, --lines <N>', 'how many of the last lines', readCount, 20)
    .option('-f, --follow', 'go on with new lines until Ctrl-C')
    .option(CONFIG_OPTION, CONFIG_HELP)
    .option('--json', 'print the lines as they are stored')
    .action(
      ends(async (options: TailOptions) => {
        const load = await readConfiguration(io, options);
        if (load === null) return EXIT.usage;
        const path = resolve(io.cwd, load.config.log.dir, LOG_FILE);
        const symbol = symbolOf(options.symbol);
        const accept: Accept = ({ fields }) => symbol === null || fields.symbol === symbol;
        const print = (record: LogRecord): void => {
          if (!accept(record)) return;
          io.out(options.json === true ? toJsonLine(record, same) : toReadable(record, { color: io.isTty }));
        };
        const last = await readLast(path, options.lines, accept);
        for (const record of last) print(record);
        if (options.follow === true) {
          const stop = AbortSignal.any([io.stopSignals().first, io.readerGone]);
          await follow({ path, onRecord: print, pause: () => pause(stop), stop });
        } else if (last.length === 0) io.err(`scalpd: no lines to show in ${path}`);
        return EXIT.done;
      }),
    );
};

const same = (text: string): string => text;

function readCount(text: string): number {
  if (!/^\d{1,6}$/.test(text)) throw new InvalidArgumentError('It must be a whole number, 0 to 999999.');
  return Number(text);
}

function pause(stop: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(done, LOOK_MILLIS);
    function done(): void {
      clearTimeout(timer);
      stop.removeEventListener('abort', done);
      resolve();
    }
    stop.addEventListener('abort', done);
  });
}
