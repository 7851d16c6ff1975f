import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

/** Growth beyond this, after everything unused was collected, is a leak: a decoder's tables are bounded far below it. */
const GROWTH_MAX_BYTES = 32 * 1024 * 1024;

export type MemoryWatch = {
  /** Call when everything has been used once. */
  begin(): void;
  /** What has grown since, in bytes, where that is too much; else `null`. */
  grown(): number | null;
};

export function watchMemory(): MemoryWatch {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  const used = (): number => {
    collect();
    const { heapUsed, arrayBuffers } = process.memoryUsage();
    return heapUsed + arrayBuffers;
  };
  let before = 0;
  return {
    begin() {
      before = used();
    },
    grown() {
      const growth = used() - before;
      return growth > GROWTH_MAX_BYTES ? growth : null;
    },
  };
}
