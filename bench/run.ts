/**
 * `npm run bench [-- --quick] [name…]`: every `*.bench.ts`, or those named, one JSON line per figure on stdout and
 * progress on stderr. Exit code 1 when a benchmark fails to run; slow is never a failure.
 *
 * `npm run bench -- --curves [--out FILE.svg] [--from FILE.json]` draws the scaling curves instead (`curves/run.ts`).
 */
import { readdir } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import { type Benchmark, formatFigure } from './figure.ts';

if (process.argv.includes('--curves')) await import('./curves/run.ts');
else await runBenchmarks();

async function runBenchmarks(): Promise<void> {
  const { values, positionals } = parseArgs({
    options: { quick: { type: 'boolean', default: false } },
    allowPositionals: true,
  });
  const files = (await readdir(new URL('.', import.meta.url)))
    .filter((file) => file.endsWith('.bench.js'))
    .filter((file) => positionals.length === 0 || positionals.includes(file.replace('.bench.js', '')))
    .sort();
  if (files.length === 0) {
    process.stderr.write(`no benchmark is named ${positionals.join(', ')}\n`);
    process.exitCode = 2;
  }

  for (const file of files) {
    const { default: bench } = (await import(new URL(file, import.meta.url).href)) as { default: Benchmark };
    const startedAt = performance.now();
    process.stderr.write(`${bench.name} …\n`);
    try {
      await bench.run(values, (figure) => process.stdout.write(`${formatFigure(bench.name, figure)}\n`));
    } catch (error) {
      process.stderr.write(`${bench.name} failed: ${error instanceof Error ? error.stack : error}\n`);
      process.exitCode = 1;
    }
    process.stderr.write(`${bench.name} took ${((performance.now() - startedAt) / 1_000).toFixed(1)} s\n`);
  }
}
