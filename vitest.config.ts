import { defineConfig } from 'vitest/config';

/** Makes the runs of fast-check repeatable. */
const setupFiles = ['test/setup/seed.ts'];

export default defineConfig({
  test: {
    projects: [
      {
        // Pure and in-memory tests: one process, no isolation between files.
        test: {
          name: 'unit',
          setupFiles,
          include: ['test/**/*.test.ts'],
          exclude: ['test/integration/**'],
          isolate: false,
          testTimeout: 60_000,
        },
      },
      {
        // Tests with real processes, sockets and files: one file at a time.
        test: {
          name: 'integration',
          setupFiles,
          include: ['test/integration/**/*.test.ts'],
          fileParallelism: false,
          testTimeout: 120_000,
          hookTimeout: 120_000,
        },
      },
    ],
  },
});
