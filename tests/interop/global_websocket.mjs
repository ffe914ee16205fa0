// Gives Node 20 the global `WebSocket` that browsers and later Nodes have.
import { WebSocket } from "undici";

globalThis.WebSocket = WebSocket;
