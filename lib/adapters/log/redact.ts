/** Takes secrets out of text. One for the process: whatever is registered vanishes from every log line and answer. */
export type Redactor = {
  /** Texts shorter than the shortest are ignored. */
  add(secret: string): void;
  scrub(text: string): string;
};

const SECRET_MIN = 8;
const MASK = '[secret]';
/** So many first characters of a secret are taken for it: what was cut off on its way is a secret still. */
const HEAD = 12;

/** `shortest`: in a whole log, shorter ones would eat ordinary words (Alpaca's have 20 and 40 characters). */
export function createRedactor(shortest = SECRET_MIN): Redactor {
  let secrets: readonly string[] = [];
  let heads: readonly string[] = [];
  let pattern: RegExp | null = null;
  return {
    add(secret) {
      const trimmed = secret.trim();
      if (trimmed.length < shortest) return;
      // The longest first: a secret may be part of another.
      secrets = [...new Set([...secrets, ...spellings(trimmed)])].sort((a, b) => b.length - a.length);
      heads = secrets.map((each) => each.slice(0, HEAD));
      pattern = new RegExp(secrets.map(patternOf).join('|'), 'g');
    },
    scrub(text) {
      if (pattern === null || !heads.some((head) => text.includes(head))) return text;
      return text.replace(pattern, MASK);
    },
  };
}

/** Addresses, JSON and headers carry a secret in these spellings too. */
const spellings = (secret: string): readonly string[] => [
  secret,
  encodeURIComponent(secret),
  JSON.stringify(secret).slice(1, -1),
  Buffer.from(secret).toString('base64'),
  ...[0, 1, 2].map((before) => insideBase64(secret, before)).filter((text) => text.length >= SECRET_MIN),
];

/** What is the same in Base64 of every longer text in which the secret stands after a multiple of 3 bytes and `before`. */
function insideBase64(secret: string, before: number): string {
  const bytes = Buffer.concat([Buffer.alloc(before), Buffer.from(secret)]);
  const known = Math.floor((bytes.length * 8) / 6);
  return bytes.toString('base64').slice(Math.ceil((before * 8) / 6), known);
}

/** The head, and as much of the rest as is there. */
function patternOf(secret: string): string {
  const rest = [...secret.slice(HEAD)].reduceRight((after, char) => `(?:${escaped(char)}${after})?`, '');
  return `${escaped(secret.slice(0, HEAD))}${rest}`;
}

const escaped = (text: string): string => text.replace(/[.*+?^${}()|[\]\\/]/g, '\\$&');
