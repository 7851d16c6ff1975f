import { writeFileSync } from 'node:fs';
import { DOCUMENT, readDocument, regenerate } from './document.ts';

writeFileSync(DOCUMENT, regenerate(readDocument()));
