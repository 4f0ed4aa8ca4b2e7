// Errors as the server means them: a code of `lcplatform.type.v1.ErrorCode` and the facts, not only a status and a text.

import grpc from '@grpc/grpc-js'
import loader from '@grpc/proto-loader'

// In a trailer there is a google.rpc.Status, and among its details a google.rpc.ErrorInfo.
const SHAPES = {
  Status: {
    fields: {
      code: { id: 1, type: 'int32' },
      message: { id: 2, type: 'string' },
      details: { id: 3, type: 'Detail', rule: 'repeated' },
    },
  },
  Detail: {
    fields: {
      type_url: { id: 1, type: 'string' },
      value: { id: 2, type: 'bytes' },
    },
  },
  ErrorInfo: {
    fields: {
      reason: { id: 1, type: 'string' },
      domain: { id: 2, type: 'string' },
      metadata: { id: 3, keyType: 'string', type: 'string' },
    },
  },
}
const { Status, ErrorInfo } = loader.fromJSON({ nested: SHAPES }, { keepCase: true, defaults: true })

/** What a call fails with. */
export class LCPlatformError extends Error {
  name = 'LCPlatformError'

  /** From an error of grpc-js. Without our details it comes from the way there, and its code is gRPC's own. */
  static from(error) {
    const { message, details = [] } = read(Status, error.metadata?.get('grpc-status-details-bin')[0])
    const info = details.find((detail) => detail.type_url.endsWith('/google.rpc.ErrorInfo'))
    const { reason = grpc.status[error.code], metadata = {} } = read(ErrorInfo, info?.value)
    return Object.assign(new LCPlatformError(message ?? error.details, { cause: error }), {
      code: reason,
      operation: metadata.operation,
      resource: metadata.resource,
      retryable: metadata.retryable === 'true',
    })
  }

  toString() {
    const facts = [this.operation && `operation ${this.operation}`, this.resource && `resource ${this.resource}`]
    const tail = facts.filter(Boolean).join(', ')
    return `${this.code}: ${this.message}${tail && ` (${tail})`}`
  }
}

function read(type, serialized) {
  return serialized ? type.deserialize(serialized) : {}
}
