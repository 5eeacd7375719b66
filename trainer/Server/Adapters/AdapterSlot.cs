namespace Graft.Server.Adapters;

/// <summary>
/// An adapter that is loaded, with the number of those who use it. Once <see cref="Retire"/> was called nobody new gets it, and its
/// weights are given back when the last of its users is done.
/// </summary>
internal sealed class AdapterSlot(string name, string path, IDisposable weights, long created, Action<IDisposable> free)
{
    private readonly Lock gate = new();
    private int users;
    private bool retired;

    public string Name { get; } = name;

    /// <summary>As the caller named it.</summary>
    public string Path { get; } = path;

    /// <summary>Unix seconds.</summary>
    public long Created { get; } = created;

    /// <summary>A hold on the weights, or null when the adapter was unloaded meanwhile.</summary>
    public AdapterLease? TryLease()
    {
        lock (gate)
        {
            if (retired) return null;
            users++;
            return new AdapterLease(this, weights);
        }
    }

    public void Retire()
    {
        lock (gate)
        {
            if (retired) return;
            retired = true;
            if (users > 0) return;
        }
        free(weights);
    }

    /// <summary>One more hold for somebody who has one, whether or not the adapter was unloaded meanwhile.</summary>
    internal AdapterLease Share()
    {
        lock (gate)
        {
            users++;
            return new AdapterLease(this, weights);
        }
    }

    internal void Release()
    {
        lock (gate)
        {
            if (--users > 0 || !retired) return;
        }
        free(weights);
    }
}

/// <summary>One user's hold on an adapter; disposing it twice counts once.</summary>
internal sealed class AdapterLease(AdapterSlot slot, IDisposable weights) : IDisposable
{
    private int released;

    public IDisposable Weights { get; } = weights;

    /// <summary>Another hold on the same weights, even when the name means others by now. This one must not be disposed yet.</summary>
    public AdapterLease Share() => slot.Share();

    public void Dispose()
    {
        if (Interlocked.Exchange(ref released, 1) == 0) slot.Release();
    }
}
