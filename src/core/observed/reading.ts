/** A value that was read, or the reason why it could not be. Unknown is never healthy, zero or supported. */
export type Reading<T> = Known<T> | Unknown;
export type Known<T> = { readonly known: true; readonly value: T };
export type Unknown = { readonly known: false; readonly why: string };

export function known<T>(value: T): Known<T> {
  return { known: true, value };
}

export function unknown(why: string): Unknown {
  return { known: false, why };
}
