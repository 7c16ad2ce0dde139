// Which of the two modules this browser plays with.

const PACKED = 'player_relaxed.wasm.gz';

// A module of one function, the relaxed_madd of three vectors: valid where there is relaxed SIMD.
const VECTOR = [0x41, 0x00, 0xfd, 0x0f]; // i8x16.splat of 0
const PROBE = Uint8Array.of(
  ...[0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00],
  ...[0x01, 0x05, 0x01, 0x60, 0x00, 0x01, 0x7b], // a type: nothing to a vector
  ...[0x03, 0x02, 0x01, 0x00], // a function of this type
  ...[0x0a, 0x13, 0x01, 0x11, 0x00, ...VECTOR, ...VECTOR, ...VECTOR, 0xfd, 0x85, 0x02, 0x0b], // its code
);

// The file's name. What is packed is for those that can unpack it.
export function playerFile() {
  return 'DecompressionStream' in globalThis && WebAssembly.validate(PROBE) ? PACKED : 'player.wasm';
}

// A module from what a file gave, which some servers have the browser unpack on the way.
export async function unpacked(content) {
  if (new Uint8Array(content)[0] === 0) return content; // as modules begin
  try {
    return await new Response(new Blob([content]).stream().pipeThrough(new DecompressionStream('gzip'))).arrayBuffer();
  } catch { // what browsers say here is that nothing could be fetched
    throw new Error(`${PACKED} was cut off or altered on its way.`);
  }
}
