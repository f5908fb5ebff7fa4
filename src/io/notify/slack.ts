import type { Notification } from '../../core/rollout/notification.ts';

/** Slack shows up to 4,000 characters; a line that is read on a telephone is shorter. */
const charactersMax = 600;
/** As many digits of the head as nobody can imitate by trying; `drover journal verify --head` takes them. */
const headDigits = 16;

/** One line: emoji, service and owner, what happened, and the head of the chain to keep. */
export function slackLine(notification: Notification, emoji: string): string {
  const { service, owner, from, to, operation, text, head } = notification;
  const what = `${service} (${owner}, ${from} → ${to}) ${text}`;
  const where = `${operation} entry ${head.seq} head ${head.hash.slice(0, headDigits)}`;
  return `${emoji} ${inertInSlack(cut(what))} · ${inertInSlack(where)}`;
}

/** Before anything is escaped, so that no entity is cut in two; whole code points only. */
function cut(text: string): string {
  const points = [...text];
  return points.length <= charactersMax ? text : `${points.slice(0, charactersMax - 1).join('')}…`;
}

/**
 * `&`, `<` and `>` make links, mentions and commands in Slack, and are escaped as it asks for. Its imitators also take a bare
 * `@channel` for a mention: an invisible space parts it.
 */
function inertInSlack(text: string): string {
  return text
    .replace(/\s+/g, ' ')
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replace(/@(?=channel|here|all|everyone)/gi, '@\u200b');
}
