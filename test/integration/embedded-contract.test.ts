import { backendContract } from '../contract/backend.ts';
import { openEmbedded } from './embedded/harness.ts';

const exact = { shareTolerance: 0.005 };
backendContract('embedded', () => openEmbedded(), exact);
backendContract(
  'embedded, with health checks',
  () => openEmbedded({ backend: { check: { path: '/health', intervalMs: 200, fall: 1000 } } }),
  exact,
);
