import { PortError } from '../../../engine/ports.ts';
import { codeOf, errorName, kafkaError, noError } from '../messages/error-codes.ts';

/** What a cluster answers about one of the things that were asked for together. */
export type Refused = {
  /** Kafka's name of the error, with its number. */
  readonly error: string;
  readonly why: string;
  /** The same again, a little later, may be answered otherwise. */
  readonly retriable: boolean;
};

/** Null: it was done. The broker's own words come first, where it has any. */
export function refusedBy(errorCode: number, errorMessage: string | null): Refused | null {
  if (errorCode === noError) return null;
  const { remedy, meaning } = kafkaError(errorCode);
  return {
    error: errorName(errorCode),
    why: errorMessage === null || errorMessage === '' ? meaning : errorMessage,
    retriable: remedy !== 'never',
  };
}

/** For what nothing can be done without. `what`: of which side. */
export function errorOf(what: string, errorCode: number, remedy: string | null = null): PortError {
  const { meaning, remedy: helps } = kafkaError(errorCode);
  const message = `${what}: ${errorName(errorCode)}: ${meaning}${remedy === null ? '' : `. ${remedy}`}`;
  return new PortError(isDenied(errorCode) ? 'denied' : 'refused', message, { retriable: helps !== 'never' });
}

export function isDenied(errorCode: number): boolean {
  return denials.includes(errorCode);
}

const denials: readonly number[] = [
  codeOf('TOPIC_AUTHORIZATION_FAILED'),
  codeOf('GROUP_AUTHORIZATION_FAILED'),
  codeOf('CLUSTER_AUTHORIZATION_FAILED'),
  codeOf('TRANSACTIONAL_ID_AUTHORIZATION_FAILED'),
];
