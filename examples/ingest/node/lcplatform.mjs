// A client of LCPlatform for Node, made from `idl/` when it starts. A call takes a request and gives a promise of the
// response, with the names of the IDL; what fails is an LCPlatformError. Only bodies need words of their own.

import { fileURLToPath } from 'node:url'
import { pipeline } from 'node:stream/promises'
import grpc from '@grpc/grpc-js'
import loader from '@grpc/proto-loader'
import { crc32c } from './crc32c.mjs'
import { LCPlatformError } from './errors.mjs'

const IDL = fileURLToPath(new URL('../../../idl', import.meta.url))
const PROTOS = ['object_store', 'queue', 'secrets'].map((name) => `lcplatform/${name}/v1/${name}.proto`)
const CHUNK = 256 * 1024
const SHAPE = { includeDirs: [IDL], keepCase: true, longs: String, enums: String, defaults: true, oneofs: true }

/** The services behind an endpoint such as `127.0.0.1:50051`. */
export function connect(endpoint) {
  const { lcplatform } = grpc.loadPackageDefinition(loader.loadSync(PROTOS, SHAPE))
  const open = (Service) => new Service(endpoint, grpc.credentials.createInsecure())
  const clients = {
    objectStore: open(lcplatform.object_store.v1.ObjectStoreService),
    queue: open(lcplatform.queue.v1.QueueService),
    secrets: open(lcplatform.secrets.v1.SecretsService),
  }
  return {
    objectStore: { ...unary(clients.objectStore), ...bodies(clients.objectStore) },
    queue: unary(clients.queue),
    secrets: unary(clients.secrets),
    close: () => Object.values(clients).forEach((client) => client.close()),
  }
}

/** A promise for each call that has one request and one response. */
function unary(client) {
  const calls = {}
  for (const { originalName: name, requestStream, responseStream } of Object.values(client.constructor.service)) {
    if (!requestStream && !responseStream) calls[name] = (request) => answer((done) => client[name](request, done))
  }
  return calls
}

/** The two calls of an object store that stream. */
function bodies(client) {
  return {
    /** Stores a body that comes in buffers of any number and size, read only as fast as it is taken. */
    async putObject(header, chunks) {
      let call
      const response = answer((done) => (call = client.putObject(done)))
      const sent = pipeline(parts(header, chunks), call)
      // Whichever fails first is the reason, and ends the other.
      response.catch(() => call.destroy())
      sent.catch(() => call.cancel())
      const [stored] = await Promise.all([response, sent])
      return stored
    },

    /** What is known of an object, and its body: an iterable of chunks, fetched only as fast as it is read. */
    async getObject(request) {
      const stream = received(client.getObject(request))
      const { value } = await stream.next()
      return { ...value.header, body: chunksOf(stream) }
    },
  }
}

/** An upload is a header, then chunks, then a trailer without which nothing is stored. */
async function* parts(header, chunks) {
  let size = 0
  let checksum = 0
  yield { header }
  for await (const bytes of chunks) {
    size += bytes.length
    checksum = crc32c(bytes, checksum)
    for (let start = 0; start < bytes.length; start += CHUNK) yield { chunk: bytes.subarray(start, start + CHUNK) }
  }
  yield { trailer: { size, crc32c: checksum } }
}

async function* received(call) {
  try {
    yield* call
  } catch (error) {
    throw LCPlatformError.from(error)
  } finally {
    call.cancel()
  }
}

async function* chunksOf(stream) {
  for await (const part of stream) yield part.chunk
}

function answer(start) {
  return new Promise((resolve, reject) => {
    start((error, response) => (error ? reject(LCPlatformError.from(error)) : resolve(response)))
  })
}
