import { readFileSync } from 'node:fs';
import { SourceMap, type SourceMapPayload } from 'node:module';
import { fileURLToPath, pathToFileURL } from 'node:url';

/** A place in a bundle, as a line of a stack names it. */
const BUNDLED = /(?:file:\/\/)?(\/[^()]*?\.cjs|[A-Za-z]:[^()]*?\.cjs):(\d+):(\d+)/;

/**
 * The line of a stack with the place in the sources instead of the one in the bundle. The map is read only here, when
 * something has gone wrong: with Node's own source maps every thread would read it at its start. A line without such a
 * place, or whose bundle has no map, stays as it is.
 */
export function nameSource(line: string): string {
  const [found, file, lineNumber, column] = BUNDLED.exec(line) ?? [];
  if (found === undefined || file === undefined) return line;
  try {
    const map = `${file}.map`;
    const payload = JSON.parse(readFileSync(map, 'utf8')) as SourceMapPayload;
    const entry = new SourceMap(payload).findEntry(Number(lineNumber) - 1, Number(column) - 1);
    if (!('originalSource' in entry)) return line;
    const source = fileURLToPath(new URL(entry.originalSource, pathToFileURL(map)));
    return line.replace(found, `${source}:${entry.originalLine + 1}:${entry.originalColumn + 1}`);
  } catch {
    return line; // no map, or none that can be read
  }
}
