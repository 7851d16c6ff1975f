import { type ChainBreak, type Inspection, inspectJournal } from '../adapters/journal/inspect.ts';
import type { SessionDay } from '../domain/time.ts';
import { certify, describeSymbol } from '../engine/certificate.ts';
import { evidenceIn } from '../engine/evidence.ts';
import { isObject } from '../engine/lane-records.ts';
import type { JournalHead, StoredRecord } from '../ports/journal.ts';
import { certificatePath, readCertificate } from './certificate-file.ts';

/** What a check of a day came to: the journal's chain, and the certificate against what the journal says. */
export type Verification = {
  readonly day: SessionDay;
  /** Nothing was altered, and the certificate is what the journal says. It may still say that the day was not flat. */
  readonly ok: boolean;
  readonly journal: {
    readonly path: string;
    readonly records: number;
    readonly ofDay: number;
    readonly head: JournalHead | null;
    readonly brokenAt: ChainBreak | null;
    readonly breaks: number;
  };
  readonly certificate: {
    readonly path: string;
    readonly flat: boolean | null;
    readonly head: JournalHead;
  } | null;
  /** One line for each symbol, as derived again; empty without a certificate. */
  readonly symbols: readonly string[];
  /** What is not as it must be. */
  readonly findings: readonly string[];
  readonly remarks: readonly string[];
};

export type VerifyPlan = {
  readonly day: SessionDay;
  readonly journalPath: string;
  readonly reportsDir: string;
};

/** Differences that are told one by one. */
const TOLD = 5;

/** Throws a `JournalError` when there is no journal to check. */
export async function verifyDay({ day, journalPath, reportsDir }: VerifyPlan): Promise<Verification> {
  const path = certificatePath(reportsDir, day);
  const read = await readOrSay(path);
  const claim = read.kind === 'read' ? headIn(read.value) : null;
  const seen = inspectJournal(journalPath, day, claim?.id ?? null);
  const findings = [...chainFindings(seen)];
  const symbols: string[] = [];
  let flat: boolean | null = null;
  if (seen.day.length === 0) findings.push(`the journal must have records of ${day}: it has none`);
  if (read.kind === 'absent')
    findings.push(
      `there must be a certificate: ${path} is not there; it is made after the close, and at a stop`,
    );
  else if (read.kind === 'unreadable') findings.push(`the certificate must be JSON: ${read.text}`);
  else if (claim === null) findings.push('the certificate must name the journal record it covers');
  else {
    findings.push(...witnessFindings(seen, claim));
    const again = certify(day, seen.day, claim);
    for (const each of again?.symbols ?? []) symbols.push(describeSymbol(each));
    flat = again?.flat ?? null;
    const differences = compare('certificate', read.value, JSON.parse(JSON.stringify(again)));
    findings.push(...differences.slice(0, TOLD));
    if (differences.length > TOLD) findings.push(`${differences.length - TOLD} more differences`);
    const later = seen.day.filter((record) => record.id > claim.id && isMove(record));
    const [first] = later;
    if (first !== undefined)
      findings.push(
        `the certificate must cover the day: ${later.length} requests and executions after it, the first is record ${first.id}`,
      );
  }
  return {
    day,
    ok: findings.length === 0,
    journal: {
      path: journalPath,
      records: seen.records,
      ofDay: seen.day.length,
      head: seen.head,
      brokenAt: seen.brokenAt,
      breaks: seen.breaks,
    },
    certificate: claim === null ? null : { path, flat, head: claim },
    symbols,
    findings,
    remarks: remarksOn(seen),
  };
}

function chainFindings({ brokenAt, breaks, file }: Inspection): readonly string[] {
  const findings: string[] = [];
  if (brokenAt !== null) {
    const { id, at, kind, symbol, text } = brokenAt;
    findings.push(`the chain breaks at record ${id} (at ${at}, ${kind}, ${symbol ?? 'no symbol'}): ${text}`);
  }
  if (breaks > 1) findings.push(`the chain breaks at ${breaks - 1} more records`);
  if (file !== 'ok') findings.push(`the file must be whole: ${file}`);
  return findings;
}

/** The certificate's head is the witness: only it knows how long the journal was, and what it ended with. */
function witnessFindings({ witness, head }: Inspection, claim: JournalHead): readonly string[] {
  if (witness === null)
    return [
      `the journal must reach to the certificate's head: record ${claim.id} is not there, the last one is ${head?.id ?? 'none'}`,
    ];
  return witness === claim.hash
    ? []
    : [
        `record ${claim.id} must be the one that was certified: its hash is ${witness}, certified was ${claim.hash}`,
      ];
}

function remarksOn({ sealed, day }: Inspection): readonly string[] {
  const chained = day.find(
    ({ kind, body }) => kind === 'session' && isObject(body) && body.what === 'chained',
  );
  return [
    ...(sealed ? [] : ['the triggers that refuse to change a record are missing']),
    ...(chained === undefined
      ? []
      : [`records before ${chained.id} were chained later: what was changed before that does not show`]),
  ];
}

type ReadFile =
  | { readonly kind: 'read'; readonly value: unknown }
  | { readonly kind: 'absent' }
  | { readonly kind: 'unreadable'; readonly text: string };

async function readOrSay(path: string): Promise<ReadFile> {
  try {
    const value = await readCertificate(path);
    return value === undefined ? { kind: 'absent' } : { kind: 'read', value };
  } catch (cause) {
    return { kind: 'unreadable', text: cause instanceof Error ? cause.message : String(cause) };
  }
}

function headIn(certificate: unknown): JournalHead | null {
  if (!isObject(certificate) || !isObject(certificate.journal)) return null;
  const { id, hash } = certificate.journal;
  return typeof id === 'number' && typeof hash === 'string' ? { id, hash } : null;
}

/** An order, or shares: what a certificate must not have missed. */
function isMove({ kind, body }: StoredRecord): boolean {
  if (!isObject(body) || evidenceIn(body) !== null) return false;
  return kind === 'request' ? body.what === 'submit' : kind === 'report' && isObject(body.fill);
}

/** Where two JSON values differ, by path. */
function compare(path: string, found: unknown, derived: unknown): readonly string[] {
  if (Array.isArray(found) && Array.isArray(derived)) {
    if (found.length !== derived.length)
      return [`${path} must have ${derived.length} entries by the journal: it has ${found.length}`];
    return found.flatMap((each, n) => compare(`${path}[${n}]`, each, derived[n]));
  }
  if (isObject(found) && isObject(derived)) {
    const keys = new Set([...Object.keys(derived), ...Object.keys(found)]);
    return [...keys].flatMap((key) => compare(`${path}.${key}`, found[key], derived[key]));
  }
  if (found === derived) return [];
  return [`${path} must be ${inJson(derived)} by the journal: it is ${inJson(found)}`];
}

function inJson(value: unknown): string {
  const text = JSON.stringify(value) ?? 'nothing';
  return text.length > 80 ? `${text.slice(0, 77)}...` : text;
}
