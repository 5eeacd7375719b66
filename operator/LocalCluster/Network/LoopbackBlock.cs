using System.Net;

namespace Graft.LocalCluster.Network;

/// <summary>
/// A block 127.X.0.0/16 of loopback addresses that this cluster alone uses: claimed with a lock file that every cluster on
/// the machine looks at, and given back by the kernel when the process ends in whatever way. The lower half is for pods,
/// the upper half for Services.
/// </summary>
internal sealed class LoopbackBlock : IDisposable
{
    // 127.0.0.0/16 and 127.1.0.0/16 hold addresses that machines really use (127.0.0.1, 127.0.0.53, 127.0.1.1).
    private const int First = 2;
    private const int Count = 253;

    private readonly FileStream _lock;

    private LoopbackBlock(int second, FileStream held)
    {
        Second = (byte)second;
        _lock = held;
    }

    /// <summary>X of 127.X.0.0/16.</summary>
    public byte Second { get; }

    /// <summary>For the Node's and the PersistentVolumes' texts: 127.X.0.0/17.</summary>
    public string PodRange => $"127.{Second}.0.0/17";

    public string ServiceRange => $"127.{Second}.128.0/17";

    /// <summary>Addresses in each half.</summary>
    public const int Addresses = (127 * 254) + 253;

    /// <summary>The n-th address for pods; starts anew after <see cref="Addresses"/>.</summary>
    public IPAddress Pod(int n) => Address(0, n % Addresses);

    /// <summary>The n-th address for Services.</summary>
    public IPAddress Service(int n) => Address(128, n % Addresses);

    // .0 and .255 of each third octet are left out: some tools take them for network and broadcast addresses.
    private IPAddress Address(int thirdFrom, int n) => new([127, Second, (byte)(thirdFrom + (n / 254)), (byte)(1 + (n % 254))]);

    /// <summary>Claims a free block, looking from a place that <paramref name="seed"/> gives, so that clusters seldom meet.</summary>
    /// <param name="lockFolder">The same for all clusters on the machine: the system's folder for temporary files.</param>
    /// <exception cref="IOException">All blocks are taken.</exception>
    public static LoopbackBlock Claim(string lockFolder, int seed)
    {
        for (var i = 0; i < Count; i++)
        {
            var second = First + (int)(((uint)seed + (uint)i) % Count);
            if (TryLock(Path.Combine(lockFolder, $"graft-127.{second}.lock")) is { } held) return new LoopbackBlock(second, held);
        }
        throw new IOException($"All {Count} blocks of loopback addresses are in use (lock files graft-127.*.lock in {lockFolder})");
    }

    /// <summary>
    /// The block of a state folder, noted there: its Services' addresses are objects that live on. Made if there is none yet.
    /// </summary>
    /// <exception cref="IOException">Another cluster uses that block now.</exception>
    public static LoopbackBlock Of(string stateFolder, string lockFolder, int seed)
    {
        var note = Path.Combine(stateFolder, "addresses");
        if (!File.Exists(note))
        {
            var claimed = Claim(lockFolder, seed);
            File.WriteAllText(note, $"{claimed.ServiceRange}\n");
            return claimed;
        }
        if (IPNetwork.TryParse(File.ReadAllText(note).Trim(), out var range) && range.BaseAddress.GetAddressBytes() is [127, >= First, _, _] address)
        {
            var path = Path.Combine(lockFolder, $"graft-127.{address[1]}.lock");
            return new LoopbackBlock(address[1], TryLock(path) ?? throw new IOException(
                $"The Services of {stateFolder} have addresses in {range}, which another local cluster uses now ({path}): stop that one first"));
        }
        throw new IOException($"{note} names no block of loopback addresses: remove it, and Services that were kept get no traffic");
    }

    private static FileStream? TryLock(string path)
    {
        try
        {
            // FileShare.None takes an exclusive lock (flock) on the open file.
            return new FileStream(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
        }
        catch (IOException)
        {
            return null; // Held by another cluster.
        }
        catch (UnauthorizedAccessException)
        {
            return null; // Another user's file.
        }
    }

    public void Dispose() => _lock.Dispose();
}
