#!/usr/bin/env node
import { EXIT } from '../lib/app/exit-codes.ts';
import { watchStopSignals } from '../lib/app/signals.ts';

// Loading takes a second: a Ctrl-C in that time must be heard by the commands that end in their own way.
const ENDING_THEMSELVES = ['demo', 'run', 'exchange'];
const early = ENDING_THEMSELVES.includes(process.argv[2] ?? '') ? watchStopSignals() : null;

const { loadDotEnv, processIo } = await import('../lib/app/process-io.ts');
const { runCli } = await import('../lib/app/cli.ts');
const io = processIo(early);
process.exitCode = loadDotEnv(io) ? await runCli(process.argv.slice(2), io) : EXIT.usage;
early?.release();
