/** Takes secrets out of text. One for the process: whatever is registered vanishes from every log line and answer. */
export type Redactor = {
  /** Texts shorter than 8 characters are ignored: they would eat ordinary words (Alpaca's have 20 and 40). */
  add(secret: string): void;
  scrub(text: string): string;
};

const SECRET_MIN = 8;
const MASK = '[secret]';

export function createRedactor(): Redactor {
  let secrets: readonly string[] = [];
  return {
    add(secret) {
      const trimmed = secret.trim();
      if (trimmed.length < SECRET_MIN) return;
      // Addresses, JSON and headers carry a secret in these spellings too.
      const spellings = [
        trimmed,
        encodeURIComponent(trimmed),
        JSON.stringify(trimmed).slice(1, -1),
        Buffer.from(trimmed).toString('base64'),
      ];
      // The longest first: a secret may be part of another.
      secrets = [...new Set([...secrets, ...spellings])].sort((a, b) => b.length - a.length);
    },
    scrub(text) {
      let clean = text;
      for (const secret of secrets) if (clean.includes(secret)) clean = clean.replaceAll(secret, MASK);
      return clean;
    },
  };
}
