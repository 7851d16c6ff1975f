import { readFileSync, writeFileSync } from 'node:fs';
import { DOCUMENT, readDocument, withVerdicts } from './document.ts';
import type { Verdict } from './judge-remedy.ts';

/** Writes the table of docs/RELIABILITY.md from what `npm run mutations -- --out FILE` found: give it that file. */
const verdicts = JSON.parse(readFileSync(process.argv[2] ?? '', 'utf8')) as readonly Verdict[];
writeFileSync(DOCUMENT, withVerdicts(readDocument(), verdicts));
