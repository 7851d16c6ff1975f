import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';

/** A compiled part as a process of its own that is talked to. `Told` is what it says. */
export type TalkingChild<Told extends { readonly kind: string }> = {
  /** The next message of this kind. Rejects when the child ends before. */
  next<K extends Told['kind']>(kind: K): Promise<Extract<Told, { kind: K }>>;
  onTold(listener: (told: Told) => void): void;
  say(message: string | object): void;
  /** Rejects when the child ends before it was asked to. */
  readonly died: Promise<never>;
  /** Resolves when it is gone; `word` is what makes it end, closing the line otherwise. */
  end(word?: string): Promise<void>;
};

export function openChild<Told extends { readonly kind: string }>(
  part: string,
  spec: object,
): TalkingChild<Told> {
  const child: ChildProcess = fork(new URL(`./${part}.js`, import.meta.url), [JSON.stringify(spec)], {
    serialization: 'advanced',
  });
  const ended = once(child, 'exit');
  const died = ended.then(([code]): never => {
    throw new Error(`${part} lives until it is ended. Found: exit code ${code}`);
  });
  died.catch(() => {}); // it ends in any case; only a race that still waits is told
  return {
    next: (kind) =>
      Promise.race([
        new Promise<Extract<Told, { kind: typeof kind }>>((resolve) => {
          const onMessage = (told: Told): void => {
            if (told.kind !== kind) return;
            child.off('message', onMessage);
            resolve(told as Extract<Told, { kind: typeof kind }>);
          };
          child.on('message', onMessage);
        }),
        died,
      ]),
    onTold: (listener) => void child.on('message', listener),
    say: (message) => void child.send(message),
    died,
    async end(word) {
      if (child.connected) {
        if (word === undefined) child.disconnect();
        else child.send(word);
      }
      await ended;
    },
  };
}
