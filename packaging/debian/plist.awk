# SPDX-License-Identifier: MIT
# readers.tsv to the Info.plist by which pcscd finds the handler of a reader: each vendor and product id once.
BEGIN { FS = "\t" }

function xml(text) {
    gsub(/&/, "\\&amp;", text)
    gsub(/</, "\\&lt;", text)
    gsub(/>/, "\\&gt;", text)
    return text
}

function value(key, text) {
    printf "\t<key>%s</key>\n\t<string>%s</string>\n", key, text
}

function list(key, values,    i) {
    printf "\n\t<key>%s</key>\n\t<array>\n", key
    for (i = 1; i <= count; i++)
        printf "\t\t<string>%s</string>\n", xml(values[i])
    print "\t</array>"
}

NR > 1 && !(($3, $4) in seen) {
    seen[$3, $4] = 1
    count++
    vendor[count] = $3
    product[count] = $4
    name = $10 " " $11
    gsub(/[^ -~]/, "", name)
    gsub(/^ +| +$/, "", name)
    friendly[count] = name != "" ? name : $1
}

END {
    print "<?xml version=\"1.0\" encoding=\"UTF-8\"?>"
    print "<!DOCTYPE plist PUBLIC \"-//Apple//DTD PLIST 1.0//EN\" \"http://www.apple.com/DTDs/PropertyList-1.0.dtd\">"
    print "<plist version=\"1.0\">\n<dict>"
    value("CFBundleExecutable", "libifdlectern.so")
    value("CFBundleIdentifier", "lectern.ifdlectern")
    value("CFBundleName", "LECTERN")
    value("CFBundlePackageType", "BNDL")
    value("CFBundleVersion", version)
    value("ifdCapabilities", "0x00000000")
    value("ifdProtocolSupport", "0x00000001")
    value("ifdVersionNumber", "0x00000001")
    list("ifdVendorID", vendor)
    list("ifdProductID", product)
    list("ifdFriendlyName", friendly)
    print "</dict>\n</plist>"
}
