import type { RequestListener, ServerResponse } from 'node:http';
import type { Upstream } from '../embedded/upstreams.ts';

/** What a server wrote down of the requests that reached it: each is `taken`, and then one of the others when it is over. */
export type Books = { taken: number; answered: number; failed: number };
export type Manner = (books: Books) => RequestListener;

/** Keeps books for a server, and lets it do something else from the next request on. */
export type BookedServer = { readonly name: string; readonly books: Books; does(manner: Manner): void };

export function bookedServer(upstream: Upstream): BookedServer {
  const books: Books = { taken: 0, answered: 0, failed: 0 };
  const does = (manner: Manner) => {
    const listener = manner(books);
    upstream.answerWith((request, response) => {
      books.taken += 1;
      response.setHeader('x-server', upstream.name);
      listener(request, response);
    });
  };
  does(answers);
  return { name: upstream.name, books, does };
}

export const answers: Manner = (books) => (request, response) => {
  books.answered += 1;
  request.resume();
  response.end('fine');
};

export const fails: Manner = (books) => (_request, response) => {
  books.failed += 1;
  response.writeHead(500).end('planted');
};

export const closesWithoutAnswer: Manner = (books) => (request) => {
  books.failed += 1;
  request.socket.destroy();
};

/** The beginning of an answer of known length, or of one in chunks, and then a reset. */
export function breaksOff(length: 'announced' | 'chunked'): Manner {
  return (books) => (_request, response) => {
    books.failed += 1;
    response.writeHead(200, length === 'announced' ? { 'content-length': 10_000 } : {});
    response.write('x'.repeat(100));
    // What is reset before it was sent on is an answer that nobody has seen.
    setTimeout(() => response.socket?.resetAndDestroy(), 30);
  };
}

/** Takes the request and says nothing; it has failed when the balancer gives up. */
export const hangs: Manner = (books) => (_request, response) => {
  response.once('close', () => {
    books.failed += 1;
  });
};

export function answersAfter(ms: number): Manner {
  return (books) => (_request, response) => void setTimeout(() => end(books, response, 'slow'), ms);
}

/** Answers when the row says so, and not before. */
export function answersOnce(told: Promise<unknown>): Manner {
  return (books) => (_request, response) => void told.then(() => end(books, response, 'late'));
}

/** 103 Early Hints, and then whatever `next` does. */
export function hintsAndThen(next: Manner): Manner {
  return (books) => {
    const listener = next(books);
    return (request, response) =>
      response.writeEarlyHints({ link: '</style.css>; rel=preload; as=style' }, () => listener(request, response));
  };
}

/** A piece every 100 ms; then it ends, or is reset. */
export function streams(pieces: number, how: 'whole' | 'broken off'): Manner {
  return (books) => (_request, response) => {
    response.writeHead(200);
    response.flushHeaders();
    let left = pieces;
    const timer = setInterval(() => {
      left -= 1;
      if (left > 0) return void response.write('piece ');
      clearInterval(timer);
      if (how === 'whole') return end(books, response, 'the end');
      books.failed += 1;
      response.socket?.resetAndDestroy();
    }, 100);
    response.once('close', () => clearInterval(timer));
  };
}

/** Begins to answer, and ends when the row says so, and not before. */
export function streamsUntil(told: Promise<unknown>): Manner {
  return (books) => (_request, response) => {
    response.writeHead(200);
    response.write('the beginning ');
    void told.then(() => end(books, response, 'the end'));
  };
}

/** Every `n`th request otherwise. */
export function everyNth(n: number, one: Manner, others: Manner = answers): Manner {
  return (books) => {
    const [listener, usual] = [one(books), others(books)];
    let count = 0;
    return (request, response) => (++count % n === 0 ? listener : usual)(request, response);
  };
}

/** Answers when it has the whole request. */
export const readsFirst: Manner = (books) => (request, response) => {
  request.resume().once('end', () => end(books, response, 'thanks'));
};

function end(books: Books, response: ServerResponse, text: string): void {
  books.answered += 1;
  response.end(text);
}
