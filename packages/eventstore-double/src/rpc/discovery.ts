import type * as Gossip from '@eventstore/db-client/generated/gossip_pb.js'
import gossipPb from '@eventstore/db-client/generated/gossip_pb.js'
import type * as Features from '@eventstore/db-client/generated/serverfeatures_pb.js'
import featuresPb from '@eventstore/db-client/generated/serverfeatures_pb.js'
import shared from '@eventstore/db-client/generated/shared_pb.js'
import { nowMs } from '../world.js'
import type { ServiceParts } from './service.js'

const methods = ['read', 'append', 'batchappend', 'delete', 'tombstone']

/** What the double can do. Clients take what is not listed for not there. */
export function supportedMethods(): Features.SupportedMethods {
  const list = methods.map((name) =>
    new featuresPb.SupportedMethod()
      .setServiceName('event_store.client.streams.streams')
      .setMethodName(name)
      .setFeaturesList(name === 'read' ? ['position', 'events', 'stream', 'all'] : []),
  )
  return new featuresPb.SupportedMethods().setEventStoreServerVersion('24.10.0.0').setMethodsList(list)
}

const { LEADER, FOLLOWER } = gossipPb.MemberInfo.VNodeState

/** A cluster of this node alone, or of this one and the leader that the faults name. */
export function clusterInfo(
  { faults }: ServiceParts,
  own: { readonly host: string; readonly port: number },
  instance: string,
): Gossip.ClusterInfo {
  const member = (host: string, port: number, state: number, id: string): Gossip.MemberInfo =>
    new gossipPb.MemberInfo()
      .setInstanceId(new shared.UUID().setString(id))
      .setTimeStamp(`${BigInt(nowMs()) * 10_000n}`)
      .setState(state as Gossip.MemberInfo.VNodeState)
      .setIsAlive(true)
      .setHttpEndPoint(new gossipPb.EndPoint().setAddress(host).setPort(port))
  const { leader } = faults
  const members = [member(own.host, own.port, leader === null ? LEADER : FOLLOWER, instance)]
  if (leader !== null) members.push(member(leader.host, leader.port, LEADER, otherInstance))
  return new gossipPb.ClusterInfo().setMembersList(members)
}

const otherInstance = '00000000-0000-4000-8000-000000000001'
