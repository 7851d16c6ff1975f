import { type Journal, RECORD_VERSION, RECORDED, type StoredRecord } from '../../ports/journal.ts';
import { GENESIS, hashRecord } from './chain.ts';
import { JournalError } from './journal-error.ts';

/** A journal that forgets everything with the process: for tests and for runs that leave nothing behind. */
export function memoryJournal(): Journal {
  const records: StoredRecord[] = [];
  let hash = GENESIS;
  let open = true;
  return {
    append(record) {
      if (!open)
        return Promise.reject(new JournalError('journal.closed', 'a closed journal takes no records'));
      const { day, at, kind, symbol, body } = record;
      const id = records.length + 1;
      hash = hashRecord(hash, id, RECORD_VERSION, [day, at, kind, symbol, JSON.stringify(body) ?? 'null']);
      records.push({ ...structuredClone(record), id });
      return RECORDED;
    },
    read: async (day) => records.filter((record) => record.day === day),
    head: async () => (records.length === 0 ? null : { id: records.length, hash }),
    async close() {
      open = false;
    },
  };
}
