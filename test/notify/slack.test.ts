import { expect, test } from 'vitest';
import { slackLine } from '../../src/io/notify/slack.ts';
import { notification } from './notification.ts';

test('one line with the emoji, who owns it, what happened, and a head that `journal verify` takes', () => {
  expect(slackLine(notification(), ':truck:')).toBe(
    ':truck: query (team-query, classic → vpc) promoted step 1 · rollout-query-1 entry 17 head 3f9a3f9a3f9a3f9a',
  );
});

test('what somebody typed as a reason makes no link, mention, command or second line', () => {
  const line = slackLine(notification({ text: 'reason: <!channel> <http://a|b> a & b\nsecond @here @Channel' }), ':x:');
  expect(line).toContain('&lt;!channel&gt; &lt;http://a|b&gt; a &amp; b second @\u200bhere @\u200bChannel');
  expect(line).not.toMatch(/[<>\n]/);
});

test('a long one is cut, and never in the middle of an entity or a character', () => {
  for (let length = 560; length < 600; length++) {
    const line = slackLine(notification({ text: `${'x'.repeat(length)}&&&&🚚🚚🚚🚚` }), ':truck:');
    expect(line.length).toBeLessThan(760);
    expect(line.replaceAll('&amp;', '')).not.toContain('&');
    expect(line.isWellFormed()).toBe(true);
    expect(line).toMatch(/head 3f9a3f9a3f9a3f9a$/);
  }
});
