import { createRedactor } from '../log/redact.ts';

const SHOWN_MAX = 240;

/** Text of the outside as one line for people: keys taken out, tags of HTML pages too, clipped. */
export type Redact = (text: string) => string;

/** `secrets` are taken out wherever they appear, in the spellings that the log's redactor knows. */
export function createRedact(secrets: readonly string[]): Redact {
  const redactor = createRedactor(1);
  for (const secret of secrets) redactor.add(secret);
  return (text) => {
    const plain = redactor
      .scrub(text)
      .replace(/<(script|style)[\s\S]*?<\/\1>/gi, ' ')
      .replace(/<[^>]*>/g, ' ')
      .replace(/[\s\p{Cc}]+/gu, ' ')
      .trim();
    return plain.length > SHOWN_MAX ? `${plain.slice(0, SHOWN_MAX)}…` : plain;
  };
}
