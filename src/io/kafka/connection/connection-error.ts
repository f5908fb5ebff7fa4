import { PortError, type PortErrorCode } from '../../../engine/ports.ts';

/** Why a connection ended, or a request was not answered. */
export class BrokerConnectionError extends PortError {
  /** False: not one byte of the request has left. True: it may have been received, and may have had its effect. */
  readonly sent: boolean;

  constructor(code: PortErrorCode, message: string, options: { retriable: boolean; sent: boolean; cause?: unknown }) {
    super(code, message, options);
    this.name = 'BrokerConnectionError';
    this.sent = options.sent;
  }
}

/** An end of a connection, before it is known for which request: each gets an error of its own. */
export type EndReason = {
  readonly code: PortErrorCode;
  readonly message: string;
  readonly retriable: boolean;
  readonly cause?: unknown;
};
