import { readFileSync } from 'node:fs';
import { totalmem } from 'node:os';
import type { ThreadLimits } from './pack-plan.ts';

/** What most systems allow a process when nobody raised it. */
const OPEN_FILES_USUAL = 1_024;

/** Reads what bounds the number of threads here. Where the system does not say, the usual limit is assumed. */
export function readThreadLimits(): ThreadLimits {
  return { openFiles: openFilesOf(readLimits()), memoryBytes: memoryOfContainerOrMachine() };
}

/** The soft limit in the text of Linux's `/proc/self/limits`. */
export function openFilesOf(limits: string | null): number {
  const soft = limits === null ? undefined : /^Max open files\s+(\d+|unlimited)/m.exec(limits)?.[1];
  if (soft === undefined) return OPEN_FILES_USUAL;
  return soft === 'unlimited' ? Number.POSITIVE_INFINITY : Number(soft);
}

function readLimits(): string | null {
  try {
    return readFileSync('/proc/self/limits', 'utf8');
  } catch {
    return null; // not Linux
  }
}

function memoryOfContainerOrMachine(): number {
  const allowed = process.constrainedMemory();
  const total = totalmem();
  // Without a container the call answers 0, or on some kernels a number above all memory there is.
  return allowed > 0 && allowed < total ? allowed : total;
}
