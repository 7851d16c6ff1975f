const SHOWN_MAX = 240;

/** Text of the outside as one line for people: keys taken out, tags of HTML pages too, clipped. */
export type Redact = (text: string) => string;

/** `secrets` are taken out wherever they appear, also as they look inside a URL or a header of Basic authentication. */
export function createRedact(secrets: readonly string[]): Redact {
  const forms = secrets
    .filter((secret) => secret.length > 0)
    .flatMap((secret) => [secret, encodeURIComponent(secret), Buffer.from(secret).toString('base64')]);
  const hidden = [...new Set(forms)].sort((a, b) => b.length - a.length);
  return (text) => {
    const safe = hidden.reduce((rest, form) => rest.replaceAll(form, '[redacted]'), text);
    const plain = safe
      .replace(/<(script|style)[\s\S]*?<\/\1>/gi, ' ')
      .replace(/<[^>]*>/g, ' ')
      .replace(/[\s\p{Cc}]+/gu, ' ')
      .trim();
    return plain.length > SHOWN_MAX ? `${plain.slice(0, SHOWN_MAX)}…` : plain;
  };
}
