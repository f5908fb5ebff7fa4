/** One balancer process as it tells of itself. */
export type BalancerProcess = {
  readonly pid: number;
  /** null: of the embedded balancer, which is Drover's own version. */
  readonly version: string | null;
  /** What the socket allows: a rollout needs `admin`. */
  readonly level: 'user' | 'operator' | 'admin';
  /** The line of the balancer's configuration that gives this socket what a rollout needs. */
  readonly adminLine: string | null;
};
