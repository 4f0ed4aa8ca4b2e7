// The checksum that vouches for an upload: CRC-32C (Castagnoli), as RFC 3720 has it in appendix B.4.

const TABLE = Uint32Array.from({ length: 256 }, (_, byte) => {
  let remainder = byte
  for (let bit = 0; bit < 8; bit++) remainder = remainder & 1 ? (remainder >>> 1) ^ 0x82f63b78 : remainder >>> 1
  return remainder
})

/** The CRC-32C of more bytes, from the CRC-32C of those before. */
export function crc32c(bytes, before = 0) {
  let remainder = ~before
  for (const byte of bytes) remainder = TABLE[(remainder ^ byte) & 0xff] ^ (remainder >>> 8)
  return ~remainder >>> 0
}
