import type { SessionDay } from '../domain/time.ts';
import { certify, describeSymbol } from '../engine/certificate.ts';
import type { Certificate } from '../engine/certificate-types.ts';
import type { Journal } from '../ports/journal.ts';
import type { Log } from '../ports/log.ts';
import { certificatePath, writeCertificate } from './certificate-file.ts';

/** Derives a day's flat certificate from the journal, says it in the log, and puts it into the reports' folder. */
export type Certifier = {
  /** Never rejects: a certificate that could not be made is told, and there is none. */
  certify(day: SessionDay): Promise<void>;
  /** Resolves when no certificate is being made. */
  idle(): Promise<void>;
};

export function createCertifier(journal: Journal, log: Log, reportsDir: string): Certifier {
  let last: Promise<void> = Promise.resolve();

  async function make(day: SessionDay): Promise<void> {
    try {
      // The head first: what is read then holds at least that much.
      const head = await journal.head();
      const certificate = head === null ? null : certify(day, await journal.read(day), head);
      if (certificate === null) return;
      tell(certificate);
      const path = certificatePath(reportsDir, day);
      await writeCertificate(path, certificate);
      const { flat, journal: covered } = certificate;
      log[flat === true ? 'info' : 'error']('certificate.written', { day, flat, path, head: covered.hash });
    } catch (cause) {
      log.error('certificate.failed', { day, text: cause instanceof Error ? cause.message : String(cause) });
    }
  }

  function tell({ symbols }: Certificate): void {
    for (const each of symbols) {
      const { symbol, flat, traced, remarks } = each;
      const fields = { symbol, flat, traced, text: describeSymbol(each), remarks };
      log[flat === true ? 'info' : 'error']('certificate.symbol', fields);
    }
  }

  return {
    certify(day) {
      last = last.then(() => make(day));
      return last;
    },
    idle: () => last,
  };
}
