import { relative, resolve } from 'node:path';
import { day as dayUnit } from '../../adapters/config/units.ts';
import { JournalError } from '../../adapters/journal/journal-error.ts';
import type { Io, Register } from '../command.ts';
import { CONFIG_HELP, CONFIG_OPTION, readConfiguration } from '../configuration.ts';
import { EXIT, type ExitCode } from '../exit-codes.ts';
import { type Verification, verifyDay } from '../verify-day.ts';

type VerifyOptions = {
  readonly config?: string;
  readonly journal?: string;
  readonly reports?: string;
  readonly json?: boolean;
};

export const registerVerify: Register = (program, { io, ends }) => {
  program
    .command('verify')
    .description("check the journal's chain, and a day's flat certificate against it")
    .argument('<DAY>', 'the session day, YYYY-MM-DD')
    .option('--journal <FILE>', 'the journal (default: journal.path of the file)')
    .option('--reports <DIR>', 'where <DAY>/flat.json lies (default: reports.dir of the file)')
    .option(CONFIG_OPTION, CONFIG_HELP)
    .option('--json', 'print everything as JSON')
    .addHelpText(
      'after',
      '\nIt only reads, and may be asked while the daemon runs.' +
        '\nExit codes: 0 nothing was altered and the certificate is what the journal says, 1 something is not so, 2 wrong usage.',
    )
    .action(ends((day: string, options: VerifyOptions) => verify(io, day, options)));
};

async function verify(io: Io, dayText: string, options: VerifyOptions): Promise<ExitCode> {
  const day = dayUnit.read(dayText);
  if (day === null) io.err(`command line: DAY: allowed: ${dayUnit.allowed}; found: ${dayText}`);
  const load = await readConfiguration(io, options);
  if (day === null || load === null) return EXIT.usage;
  const { journal, reports } = load.config;
  try {
    const verification = await verifyDay({
      day,
      journalPath: resolve(io.cwd, options.journal ?? journal.path),
      reportsDir: resolve(io.cwd, options.reports ?? reports.dir),
    });
    if (options.json === true) io.out(JSON.stringify(verification));
    else for (const line of describeVerification(verification, io.cwd)) io.out(line);
    if (!verification.ok) io.err(`scalpd: ${day} is not verified: ${verification.findings[0]}`);
    return verification.ok ? EXIT.done : EXIT.failed;
  } catch (cause) {
    if (!(cause instanceof JournalError)) throw cause;
    if (options.json === true)
      io.out(JSON.stringify({ day, ok: false, findings: [cause.message], code: cause.code }));
    io.err(`scalpd: ${day} is not verified: ${cause.message}`);
    return EXIT.failed;
  }
}

/** The same facts as lines for people. */
function describeVerification(found: Verification, cwd: string): readonly string[] {
  const { day, journal, certificate, symbols, findings, remarks, ok } = found;
  const { records, ofDay, brokenAt, head } = journal;
  const chain = brokenAt === null ? 'chain intact' : `chain BROKEN at record ${brokenAt.id}`;
  const word = (flat: boolean | null): string => (flat === null ? 'unproven' : flat ? 'flat' : 'NOT FLAT');
  return [
    `journal      ${nameOf(journal.path, cwd)}: ${records} records, ${ofDay} of ${day}, ${chain}, head ${head?.hash ?? '-'}`,
    certificate === null
      ? 'certificate  none'
      : `certificate  ${nameOf(certificate.path, cwd)}: ${word(certificate.flat)}, covers records up to ${certificate.head.id}`,
    ...symbols.map((line) => `  ${line}`),
    ...remarks.map((line) => `remark       ${line}`),
    ...findings.map((line) => `DIFFERS      ${line}`),
    ok ? 'verified' : 'not verified',
  ];
}

function nameOf(path: string, cwd: string): string {
  const name = relative(cwd, path);
  return name.startsWith('..') ? path : name;
}
