// isFree(port, host)    nobody has this UDP or TCP port now
// await hold(port)      takes a UDP port of 127.0.0.1 until what it gives is called; null: somebody has it
import dgram from 'node:dgram';
import net from 'node:net';

export async function isFree(port, host = '127.0.0.1') {
  const udp = dgram.createSocket('udp4');
  const tcp = net.createServer();
  const [a, b] = await Promise.all([
    new Promise((resolve) => udp.once('error', () => resolve(false)).bind(port, host, () => resolve(true))),
    new Promise((resolve) => tcp.once('error', () => resolve(false)).listen(port, host, () => resolve(true))),
  ]);
  udp.close();
  if (b) tcp.close();
  return a && b;
}

export function hold(port) {
  const socket = dgram.createSocket('udp4');
  return new Promise((resolve) => socket.once('error', () => resolve(null)).bind(port, '127.0.0.1', () => resolve(() => socket.close())));
}
