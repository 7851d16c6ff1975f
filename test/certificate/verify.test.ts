import { chmodSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { openJournal } from '../../lib/adapters/journal/journal.ts';
import { openStore } from '../../lib/adapters/journal/store.ts';
import { certificatePath } from '../../lib/app/certificate-file.ts';
import { createCertifier } from '../../lib/app/certifier.ts';
import { type Verification, verifyDay } from '../../lib/app/verify-day.ts';
import type { Certificate } from '../../lib/engine/certificate-types.ts';
import type { StoredRecord } from '../../lib/ports/journal.ts';
import { DAY } from '../engine/simulated-day.ts';
import { type LoggedLine, loggingTo } from '../engine/support.ts';
import { removeScratch, scratch } from '../support/scratch.ts';
import {
  alterRecords,
  certifiedDay,
  copyOf,
  fill,
  newPlace,
  type Place,
  recordsIn,
  recordWith,
} from './certified-day.ts';

/** A real journal file with the records of a simulated day, its certificate, and what somebody may do to both. */

describe('scalpd verify', function () {
  this.timeout(60_000);
  const lines: LoggedLine[] = [];
  let original: Place;
  before(async () => {
    original = await certifiedDay(lines);
  });
  after(removeScratch);

  const copy = (): Place => copyOf(original);
  const verify = (place: Place): Promise<Verification> => verifyDay({ day: DAY, ...place });
  const certificateIn = ({ reportsDir }: Place): Certificate =>
    JSON.parse(readFileSync(certificatePath(reportsDir, DAY), 'utf8')) as Certificate;

  it('a day that nobody touched is verified, symbol by symbol', async () => {
    const found = await verify(original);
    expect(found.findings).to.deep.equal([]);
    expect(found).to.deep.include({ ok: true, remarks: [] });
    expect(found.certificate).to.deep.include({ flat: true });
    expect(found.symbols).to.have.length(5);
    expect(found.symbols.join('\n')).to.match(/^AAPL: flat; /);
  });

  it('the log says the same, and where the certificate is', () => {
    const said = lines.filter(({ event }) => event === 'certificate.symbol');
    expect(said.map(({ level, fields }) => `${level} ${fields?.symbol}`)).to.deep.equal([
      'info AAPL',
      'info BAC',
      'info F',
      'info INTC',
      'info SPY',
    ]);
    const written = lines.filter(({ event }) => event === 'certificate.written');
    expect(written.map(({ fields }) => fields)).to.deep.equal([
      {
        day: DAY,
        flat: true,
        path: certificatePath(original.reportsDir, DAY),
        head: certificateIn(original).journal.hash,
      },
    ]);
    expect(readdirSync(join(original.reportsDir, DAY))).to.deep.equal(['flat.json']);
  });

  it('every field of the certificate is found when it is changed, removed or added to', async () => {
    const place = copy();
    const path = certificatePath(place.reportsDir, DAY);
    const good = certificateIn(place);
    const fields = fieldsOf(good);
    expect(fields.length).to.be.above(100);
    const seen = new Set<string>();
    for (const field of fields) {
      // One of a kind is enough: the others are compared by the same lines.
      const kind = field.filter((key) => typeof key === 'string').join('.');
      if (seen.has(kind)) continue;
      seen.add(kind);
      for (const change of ['changed', 'removed'] as const) {
        const bad = structuredClone(good) as unknown as Record<string, unknown>;
        alter(bad, field, change);
        writeFileSync(path, JSON.stringify(bad));
        const { ok, findings } = await verify(place);
        expect(ok, `${field.join('.')} ${change}`).to.equal(false);
        expect(findings, `${field.join('.')} ${change}`).not.to.deep.equal([]);
      }
    }
    expect(seen.size).to.be.above(30);
    writeFileSync(path, JSON.stringify({ ...good, signed: 'by me' }));
    expect((await verify(place)).findings).to.deep.equal([
      'certificate.signed must be nothing by the journal: it is "by me"',
    ]);
    writeFileSync(path, JSON.stringify(good));
    expect((await verify(place)).ok).to.equal(true);
  });

  it('says at which record the chain breaks', async () => {
    const place = copy();
    const target = recordWith(place, isExecution);
    alterRecords(
      place,
      `UPDATE record SET body = replace(body, '"lastQty":', '"lastQty":1') WHERE id = ${target.id}`,
    );
    const { ok, journal, findings } = await verify(place);
    expect(ok).to.equal(false);
    expect(journal.brokenAt).to.deep.include({
      id: target.id,
      at: target.at,
      kind: 'report',
      symbol: target.symbol,
    });
    expect(findings[0]).to.include(
      `the chain breaks at record ${target.id} (at ${target.at}, report, ${target.symbol})`,
    );
  });

  it('a cut tail, a removed record and two that changed places are found', async () => {
    const { id } = certificateIn(original).journal;
    const cases: readonly (readonly [string, RegExp])[] = [
      [`DELETE FROM record WHERE id > ${id - 3}`, /the journal must reach to the certificate's head/],
      [
        'DELETE FROM record WHERE id = 100',
        /the chain breaks at record 101 .*: ids must follow each other: 100 is missing/,
      ],
      [
        'UPDATE record SET id = -1 WHERE id = 50; UPDATE record SET id = 50 WHERE id = 51; UPDATE record SET id = 51 WHERE id = -1',
        /the chain breaks at record 50 /,
      ],
    ];
    for (const [statement, text] of cases) {
      const place = copy();
      alterRecords(place, statement);
      const { ok, findings } = await verify(place);
      expect(ok).to.equal(false);
      expect(findings.join('\n')).to.match(text);
    }
  });

  it('a journal that was written anew, its chain and all, is not the one that was certified', async () => {
    const place = copy();
    const forged = join(scratch(), 'j.db');
    const store = openStore(forged);
    for (const { day, at, kind, symbol, body } of recordsIn(place))
      store.append([
        [day, at, kind, symbol, JSON.stringify(body).replace(/"lastQty":(\d+)/, '"lastQty":9$1')],
      ]);
    store.append([[DAY, 0, 'session', null, '{}']]);
    store.close();
    const { findings, journal } = await verify({ ...place, journalPath: forged });
    expect(journal.brokenAt).to.equal(null);
    expect(findings[0]).to.match(/record \d+ must be the one that was certified/);
  });

  it('a day that went on after its certificate is said to have', async () => {
    const place = copy();
    const submit = recordWith(
      place,
      ({ kind, body }) => kind === 'request' && (body as { what: string }).what === 'submit',
    );
    const store = openStore(place.journalPath);
    store.append([[DAY, submit.at, 'request', submit.symbol, JSON.stringify(submit.body)]]);
    store.append([[DAY, submit.at, 'operator', null, '{"what":"pause"}']]);
    store.close();
    const { ok, findings } = await verify(place);
    expect(ok).to.equal(false);
    expect(findings).to.have.length(1);
    expect(findings[0]).to.match(
      /must cover the day: 1 requests and executions after it, the first is record \d+/,
    );
  });

  it('other days after it change nothing, and missing triggers are a remark', async () => {
    const place = copy();
    alterRecords(place);
    const store = openStore(place.journalPath);
    store.append([['2026-10-06', 1, 'session', null, '{"what":"began"}']]);
    store.close();
    const { ok, remarks } = await verify(place);
    expect(ok).to.equal(true);
    expect(remarks).to.deep.equal(['the triggers that refuse to change a record are missing']);
  });

  it('a certificate that says "not flat" is verified as well: it is what the journal says', async () => {
    const records = recordsIn(original).map((record) => {
      const body = record.body as { what?: string; broker?: object };
      return body.what === 'evidence' && record.symbol === 'SPY'
        ? { ...record, body: { ...body, broker: { ...body.broker, shares: 3 } } }
        : record;
    });
    const place = newPlace();
    const told: LoggedLine[] = [];
    await fill(place, records, told);
    const found = await verify(place);
    expect(found).to.deep.include({ ok: true });
    expect(found.certificate?.flat).to.equal(false);
    const spy = told.find(({ event, fields }) => event === 'certificate.symbol' && fields?.symbol === 'SPY');
    expect(spy?.level).to.equal('error');
    expect(spy?.fields?.text).to.include('NOT FLAT');
  });

  it('a certificate is there in one piece or not at all', async () => {
    const place = copy();
    const path = certificatePath(place.reportsDir, DAY);
    const good = readFileSync(path);
    rmSync(path);
    mkdirSync(path);
    const told: LoggedLine[] = [];
    const journal = await openJournal({ path: place.journalPath });
    const certifier = createCertifier(journal, loggingTo(told), place.reportsDir);
    await certifier.certify(DAY);
    expect(told.filter(({ event }) => event === 'certificate.failed')).to.have.length(1);
    expect(readdirSync(join(place.reportsDir, DAY))).to.deep.equal(['flat.json']);
    rmSync(path, { recursive: true });
    await Promise.all([certifier.certify(DAY), certifier.certify(DAY)]);
    await certifier.idle();
    await journal.close();
    expect(readFileSync(path).equals(good)).to.equal(true);
    expect(readdirSync(join(place.reportsDir, DAY))).to.deep.equal(['flat.json']);
  });

  it('a reports folder that cannot be written is told, and stops nothing', async function () {
    if (process.getuid?.() === 0) this.skip();
    const place = copy();
    chmodSync(place.reportsDir, 0o555);
    const told: LoggedLine[] = [];
    const journal = await openJournal({ path: place.journalPath });
    await createCertifier(journal, loggingTo(told), join(place.reportsDir, 'deep')).certify(DAY);
    await journal.close();
    chmodSync(place.reportsDir, 0o755);
    expect(told.some(({ event }) => event === 'certificate.failed')).to.equal(true);
  });
});

const isExecution = ({ kind, body }: StoredRecord): boolean =>
  kind === 'report' && (body as { fill: unknown }).fill !== null;

type Path = readonly (string | number)[];

/** Every value in it that is no object and no array, by path; empty ones count as values. */
function fieldsOf(value: unknown, path: Path = []): readonly Path[] {
  if (typeof value !== 'object' || value === null) return [path];
  const entries = Array.isArray(value) ? [...value.entries()] : Object.entries(value);
  return entries.length === 0 ? [path] : entries.flatMap(([key, each]) => fieldsOf(each, [...path, key]));
}

function alter(target: Record<string, unknown>, path: Path, how: 'changed' | 'removed'): void {
  const last = path.at(-1) ?? '';
  let place = target as Record<string | number, unknown>;
  for (const key of path.slice(0, -1)) place = place[key] as Record<string | number, unknown>;
  if (how === 'removed') delete place[last];
  else {
    const value = place[last];
    place[last] =
      typeof value === 'number'
        ? value + 1
        : typeof value === 'boolean'
          ? !value
          : value === null
            ? 0
            : Array.isArray(value)
              ? ['x']
              : `${String(value)}x`;
  }
}
