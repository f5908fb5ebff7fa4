/** Text of anybody's making as text of a page: it can neither be markup nor turn other text around. */
export function escaped(text: string): string {
  return text
    .replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/gu, (found) => `\\u{${(found.codePointAt(0) ?? 0).toString(16)}}`)
    .replace(/[&<>"']/g, (found) => `&#${found.charCodeAt(0)};`);
}

/** `content` is markup. Numbers are written as short as a hundredth of a pixel allows. */
export function element(name: string, attributes: Readonly<Record<string, string | number>>, content = ''): string {
  const written = Object.entries(attributes).map(
    ([key, value]) => ` ${key}="${typeof value === 'number' ? short(value) : escaped(value)}"`,
  );
  return `<${name}${written.join('')}>${content}</${name}>`;
}

/** What is far outside of a picture is outside of it in the same direction; browsers know no end of numbers. */
export function short(value: number): string {
  const within = Math.max(-1e5, Math.min(1e5, value));
  return String(Number(within.toFixed(2)) || 0);
}

/** A page of HTML that is complete in itself. `hue`: the class of its body; `style` and `body` are markup already. */
export function wholePage(page: {
  readonly title: string;
  readonly style: string;
  readonly hue: string;
  readonly body: string;
}): string {
  return [
    '<!doctype html>',
    '<html lang="en">',
    '<head>',
    '<meta charset="utf-8">',
    // Whatever a name in it might try: a browser loads and runs nothing for this page.
    `<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">`,
    '<meta name="viewport" content="width=device-width, initial-scale=1">',
    '<meta name="color-scheme" content="light dark">',
    element('title', {}, escaped(page.title)),
    element('style', {}, page.style),
    '</head>',
    '<body>',
    element('main', { class: page.hue }, page.body),
    '</body>',
    '</html>',
    '',
  ].join('\n');
}
