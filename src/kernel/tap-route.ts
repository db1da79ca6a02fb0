/**
 * Whether the default route of a network namespace leaves by a TAP device (rtnetlink(7)): a program in another namespace reads and writes its
 * frames, as pasta and slirp4netns do for a rootless container. A TUN device, which carries no frames, is that of a VPN.
 */
import { NETLINK_ROUTE, openNetlink, words } from './netlink.js';

const RTM_GETLINK = 18;
const RTM_GETROUTE = 26;
const IFLA_IFNAME = 3;
const IFLA_LINKINFO = 18;
const IFLA_INFO_KIND = 1;
const RTA_OIF = 4;
const ARPHRD_ETHER = 1;
const RTN_UNICAST = 1;
/** struct ifinfomsg, struct rtmsg. */
const LINK = 16;
const ROUTE = 12;

/** The name of the device in the namespace of the calling thread; null: the default route leaves otherwise, or there is none. */
export function tapOfDefaultRoute(): string | null {
  const netlink = openNetlink(NETLINK_ROUTE);
  const taps = new Map<number, string>();
  let found: string | null = null;
  try {
    netlink.dump(RTM_GETLINK, words(0, 0, 0, 0), (view, from, to) => {
      // Family, padding, type, index.
      if (view.getUint16(from + 2, true) !== ARPHRD_ETHER) return;
      let name = '';
      let isTap = false;
      for (const { type, at, end } of attributes(view, from + LINK, to)) {
        if (type === IFLA_IFNAME) name = textAt(view, at, end);
        if (type !== IFLA_LINKINFO) continue;
        for (const info of attributes(view, at, end))
          if (info.type === IFLA_INFO_KIND) isTap = textAt(view, info.at, info.end) === 'tun';
      }
      if (isTap) taps.set(view.getInt32(from + 4, true), name);
    });
    if (taps.size === 0) return null;
    netlink.dump(RTM_GETROUTE, words(0, 0, 0), (view, from, to) => {
      // Length of the destination, type: a default route has a destination of no bits.
      if (view.getUint8(from + 1) !== 0 || view.getUint8(from + 7) !== RTN_UNICAST) return;
      for (const { type, at } of attributes(view, from + ROUTE, to))
        if (type === RTA_OIF) found ??= taps.get(view.getInt32(at, true)) ?? null;
    });
  } finally {
    netlink.close();
  }
  return found;
}

/** The attributes of a message (struct nlattr), each by where its value begins and ends. */
function* attributes(view: DataView, first: number, last: number) {
  for (let at = first; at + 4 <= last; ) {
    const length = view.getUint16(at, true);
    if (length < 4) return;
    // The upper two bits say that others are nested in it, and the byte order.
    yield { type: view.getUint16(at + 2, true) & 0x3fff, at: at + 4, end: at + length };
    at += (length + 3) & ~3;
  }
}

/** A text that ends with a NUL, or with its attribute. */
function textAt(view: DataView, at: number, end: number): string {
  return new TextDecoder().decode(new Uint8Array(view.buffer, view.byteOffset + at, end - at)).replace(/\0.*$/, '');
}
