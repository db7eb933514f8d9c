/** The way frames travel. A WebSocket today; the rest of the connection knows only this interface. */
export interface Transport {
  /** Only between `opened` and `closed`. */
  send(frame: Uint8Array): void;
  /** After this none of the handlers is called again. */
  close(): void;
}

export interface TransportHandlers {
  opened(): void;
  received(frame: Uint8Array): void;
  /** Once, also when it never opened (1006). */
  closed(code: number): void;
}

export type OpenTransport = (handlers: TransportHandlers) => Transport;

export function webSocketTransport(url: string): OpenTransport {
  return (handlers) => {
    const socket = new WebSocket(url);
    const listening = new AbortController();
    const { signal } = listening;
    socket.binaryType = "arraybuffer";
    socket.addEventListener("open", () => handlers.opened(), { signal });
    socket.addEventListener("close", (event) => handlers.closed(event.code), { signal });
    socket.addEventListener(
      "message",
      (event: MessageEvent<unknown>) => {
        // Text frames are no part of the protocol: an empty frame is refused by the decoder.
        handlers.received(event.data instanceof ArrayBuffer ? new Uint8Array(event.data) : new Uint8Array());
      },
      { signal },
    );
    return {
      send: (frame) => socket.send(frame as Uint8Array<ArrayBuffer>),
      close() {
        listening.abort();
        socket.close();
      },
    };
  };
}

export interface SocketAddress {
  readonly path: string;
  readonly id: string;
  readonly schemaVersion: number;
  readonly epoch: number;
}

/** The scheme follows the page's. Schema and epoch let the server turn a page away that is out of date. */
export function socketUrl(page: URL, { path, id, schemaVersion, epoch }: SocketAddress): string {
  const url = new URL(`${path}/${encodeURIComponent(id)}`, page);
  url.protocol = page.protocol === "https:" ? "wss:" : "ws:";
  url.search = `?v=1&schema=${schemaVersion}&epoch=${epoch}`;
  return url.href;
}
