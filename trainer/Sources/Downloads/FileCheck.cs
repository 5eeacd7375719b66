using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace Graft.Sources.Downloads;

internal enum CheckKind { SizeOnly, Sha256, GitBlob, Md5 }

/// <summary>The digest that a file was announced with.</summary>
/// <param name="Hex">Lower-case hexadecimal; empty for <see cref="CheckKind.SizeOnly"/>.</param>
internal sealed record FileCheck(CheckKind Kind, string Hex = "")
{
    private const int BufferBytes = 1 << 20;

    public static FileCheck SizeOnly { get; } = new(CheckKind.SizeOnly);

    /// <summary>What a hub's ETag says: the sha256 of a file in large file storage, else the sha1 that git names a blob by.</summary>
    public static FileCheck OfHubTag(string tag) => tag.Length switch
    {
        64 when IsHex(tag) => new(CheckKind.Sha256, tag),
        40 when IsHex(tag) => new(CheckKind.GitBlob, tag),
        _ => SizeOnly,
    };

    /// <summary>Null when the file is what was announced; else what is wrong.</summary>
    public async Task<string?> ProblemOfAsync(string path, long size, CancellationToken cancellation)
    {
        var length = new FileInfo(path).Length;
        if (length != size) return string.Create(CultureInfo.InvariantCulture, $"it has {length} bytes, {size} were announced");
        if (Kind == CheckKind.SizeOnly) return null;
        var found = await HashAsync(path, size, cancellation);
        return found == Hex ? null : $"its {Words} is {found}, {Hex} was announced";
    }

    private string Words => Kind switch { CheckKind.Sha256 => "sha256", CheckKind.GitBlob => "git blob sha1", _ => "md5" };

    // Sha1 and md5 are what git and S3 announce; they tell a broken transfer, which is all that is asked of them here.
#pragma warning disable CA5350, CA5351
    private async Task<string> HashAsync(string path, long size, CancellationToken cancellation)
    {
        using var hash = IncrementalHash.CreateHash(Kind switch
        {
            CheckKind.Sha256 => HashAlgorithmName.SHA256,
            CheckKind.GitBlob => HashAlgorithmName.SHA1,
            _ => HashAlgorithmName.MD5,
        });
        if (Kind == CheckKind.GitBlob)
            hash.AppendData(Encoding.ASCII.GetBytes(string.Create(CultureInfo.InvariantCulture, $"blob {size}\0")));
        await using var stream = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read, bufferSize: 0);
        var buffer = new byte[BufferBytes];
        while (await stream.ReadAsync(buffer, cancellation) is var count and > 0) hash.AppendData(buffer, 0, count);
        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }
#pragma warning restore CA5350, CA5351

    private static bool IsHex(string text) => text.All(c => c is (>= '0' and <= '9') or (>= 'a' and <= 'f'));
}
