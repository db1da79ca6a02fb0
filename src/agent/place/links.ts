/**
 * The links of a lab, and their MAC addresses: both ends are known, so that nobody asks by ARP.
 */

export const CLIENT_LINK = 'bs-client';
export const TO_PROXY_LINK = 'bs-to-proxy';
export const TO_CLIENTS_LINK = 'bs-to-clients';
export const TO_PROXY_MAC = '02:62:73:00:00:03';
export const TO_CLIENTS_MAC = '02:62:73:00:00:04';
export const ORIGIN_LINK = 'bs-origin';
export const CLIENT_MAC = '02:62:73:00:00:01';
export const ORIGIN_MAC = '02:62:73:00:00:02';
