// Whole rollouts by the real command, on real HAProxies, processes and files, under load. They wait for most of their time,
// and files run one after the other: so all of them are one file, whose tests run five at a time. `-t WORDS` narrows.
import './rollout/judged.ts';
import './rollout/killed.ts';
import './rollout/several.ts';
import './rollout/rivals.ts';
import './rollout/bad-days.ts';
import './rollout/bad-journals.ts';
import './rollout/signals.ts';
import './rollout/endings.ts';
import './rollout/local.ts';
import './rollout/refused.ts';
import './rollout/dead-balancer.ts';
import './rollout/back.ts';
import './rollout/origin-down.ts';
import './rollout/operators.ts';
import './rollout/edited.ts';
import './rollout/lines.ts';
import './rollout/shown.ts';
import './rollout/stop.ts';
